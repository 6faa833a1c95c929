"""Puts the worker together and runs it: jobs and applications in, scores out."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import faust
from aiokafka import AIOKafkaProducer

from services.contracts.engine import PairScorer
from services.contracts.errors import EngineClosed
from services.contracts.topics import APPLICATION_SUBMITTED, JOB_POSTED
from services.events.dead_letters import DeadLetters
from services.events.event_reading import EventReader
from services.events.kafka_client import create_topics, start_producer, stop_producer, wait_for_kafka
from services.process.audit_log import ScoreAudit, open_audit_log
from services.process.health_server import Checks, HealthServer
from services.process.logging import get_logger
from services.process.metrics import ScoringMetrics
from services.process.settings import Settings
from services.process.shutdown import drain
from services.process.tracing import Tracing
from services.scoring_worker.annotation_requests import AnnotationRequests
from services.scoring_worker.application_intake import ApplicationIntake
from services.scoring_worker.application_processing import ApplicationProcessor
from services.scoring_worker.delivery_check import DeliveryCheck
from services.scoring_worker.faust_app import add_agent, build_faust_app
from services.scoring_worker.job_validation import JobValidator
from services.scoring_worker.job_view import JobView
from services.scoring_worker.progress_watch import ProgressWatch
from services.scoring_worker.score_writer import ScoreWriter
from services.scoring_worker.waiting_room import WaitingRoom

log = get_logger(__name__)

CRASH_CHECK_SECONDS = 0.2
STOP_SECONDS = 10.0  # the last commit may find no broker


async def run_worker(
    settings: Settings,
    scorer: PairScorer,
    metrics: ScoringMetrics,
    *,
    stop: asyncio.Event,
    is_model_warm: Callable[[], bool] = lambda: True,
    tracing: Tracing | None = None,
    ready: Checks | None = None,
) -> None:
    """Scores applications until ``stop`` is set, then finishes what is in hand and commits.

    Args:
        settings: of the whole process.
        scorer: the model; closed by whoever made it.
        metrics: served, with health, on ``worker_metrics_port``.
        stop: set it to end; work in hand has ``drain_seconds``.
        is_model_warm: whether the first score will not wait for the model; for /readyz.
        tracing: of applications; None: that of the settings.
        ready: further checks for /readyz, such as whether announced adapters are followed.

    Raises:
        SettingsInvalid: a port or certificate file cannot be used.
        KafkaError: the broker refuses what the worker cannot do without.
        EngineClosed: the engine was closed while the worker was not.
        Exception: a bug; nothing is committed that was not delivered.
    """
    tracing = tracing or Tracing(settings.tracing_endpoint, "scoring-worker")
    worker = _Worker(settings, scorer, metrics, stop, tracing)
    live = {
        "progress": lambda: scorer.seconds_since_progress() < settings.hang_seconds,
        "offsets": worker.is_moving,
    }
    checks = {
        "model": is_model_warm,
        "consumer": worker.is_connected,
        "jobs": worker.has_jobs,
        "audit": worker.can_note,
        **(ready or {}),
    }
    async with HealthServer(settings, "worker_metrics_port", metrics.registry, live=live, ready=checks):
        try:
            await worker.run()
        finally:
            await asyncio.to_thread(tracing.close)


class _Worker:
    """The life of one worker, from the first connection to the last commit."""

    def __init__(
        self,
        settings: Settings,
        scorer: PairScorer,
        metrics: ScoringMetrics,
        stop: asyncio.Event,
        tracing: Tracing,
    ) -> None:
        self._settings = settings
        self._scorer = scorer
        self._metrics = metrics
        self._stop = stop
        self._tracing = tracing
        self._jobs = JobView(settings, metrics)
        self._reader = EventReader(settings.strict_fields, metrics.dead_letters)
        self._assigned = asyncio.Event()
        self._progress: ProgressWatch | None = None
        self._audit: ScoreAudit | None = None
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def is_connected(self) -> bool:
        return self._assigned.is_set() and self._progress is not None and self._progress.is_in_contact()

    def is_moving(self) -> bool:
        return self._progress is None or self._progress.is_moving()

    def has_jobs(self) -> bool:
        return self._jobs.caught_up.is_set()

    def can_note(self) -> bool:
        return self._audit is None or self._audit.is_writable

    async def run(self) -> None:
        started = time.monotonic()
        async with AsyncExitStack() as stack:
            stack.callback(self._jobs.close)
            if not await self._finishes(wait_for_kafka(self._settings)):
                return
            await create_topics(self._settings)
            producer = await start_producer(self._settings)
            stack.push_async_callback(stop_producer, producer)
            check = await stack.enter_async_context(DeliveryCheck(self._settings, APPLICATION_SUBMITTED))
            self._progress = progress = ProgressWatch(self._settings, check)
            app = build_faust_app(self._settings, self._metrics)
            intake = ApplicationIntake(app, check)
            annotations = AnnotationRequests(
                producer, self._metrics, self._settings.annotation_requests_per_hour
            )
            audit = open_audit_log(self._settings, "scoring-worker", self._metrics.audit_failures.inc)
            self._audit = audit
            stack.push_async_callback(audit.close)
            processor = self._build_processor(producer, intake, annotations, audit)
            validator = JobValidator(DeadLetters(producer, self._metrics.dead_letters), self._reader)
            self._connect(app, intake, processor, validator, progress)
            self._jobs.on_posted = processor.on_job_posted
            for work in (
                self._jobs.follow(),
                progress.watch(),
                processor.watch_waiting_room(),
                annotations.publish_until_cancelled(),
            ):
                stack.push_async_callback(_cancel, self._in_background(work))
            # Applications come after the jobs that are there already, so few have to wait.
            if not await self._finishes(self._jobs.caught_up.wait()):
                return
            await self._score_until_stopped(app, processor, started)

    def _build_processor(
        self,
        producer: AIOKafkaProducer,
        intake: ApplicationIntake,
        annotations: AnnotationRequests,
        audit: ScoreAudit,
    ) -> ApplicationProcessor:
        settings, metrics = self._settings, self._metrics
        return ApplicationProcessor(
            self._scorer,
            self._jobs,
            ScoreWriter(producer, metrics),
            DeadLetters(producer, metrics.dead_letters),
            WaitingRoom(settings.worker_job_wait_seconds, settings.worker_max_waiting),
            metrics,
            max_in_flight=settings.worker_max_in_flight,
            on_done=intake.on_done,
            on_failure=self._fail,
            on_scored=annotations.on_scored,
            audit=audit,
            tracing=self._tracing,
            reader=self._reader,
        )

    def _connect(
        self,
        app: faust.App,
        intake: ApplicationIntake,
        processor: ApplicationProcessor,
        validator: JobValidator,
        progress: ProgressWatch,
    ) -> None:
        add_agent(
            app, APPLICATION_SUBMITTED, "applications", self._guard(lambda e: intake.on_event(e, processor))
        )
        add_agent(app, JOB_POSTED, "jobs", self._guard(validator.on_event))

        async def on_revoked(_app: faust.App, revoked: Any, **_: Any) -> None:
            self._assigned.clear()
            progress.on_revoked()
            await intake.on_revoked(revoked, processor)

        async def on_assigned(_app: faust.App, assigned: Any, **_: Any) -> None:
            self._assigned.set()
            mine = (each.partition for each in assigned if each.topic == APPLICATION_SUBMITTED)
            progress.on_assigned(frozenset(mine))
            log.info("partitions assigned", partitions=len(assigned))

        app.on_partitions_revoked.connect(on_revoked, weak=False)
        app.on_partitions_assigned.connect(on_assigned, weak=False)

    async def _score_until_stopped(
        self, app: faust.App, processor: ApplicationProcessor, started: float
    ) -> None:
        watching = self._in_background(self._watch(app))
        try:
            if not await self._finishes(app.start()) or not await self._finishes(self._assigned.wait()):
                return
            log.info("worker ready", seconds=round(time.monotonic() - started, 2))
            is_engine_closed = await self._finishes(processor.closed.wait())
            self._assigned.clear()  # no longer ready
            log.info("worker draining", in_flight=processor.num_in_hand)
            await drain(processor.finish_in_hand(), self._settings.drain_seconds)
            # Faust's commit does nothing where it meets another one under way, and its last one may: then
            # what was acknowledged meanwhile would be scored again. This one waits for it.
            await drain(app.consumer.commit(), STOP_SECONDS)
            if self._failure.done():
                self._failure.result()
            if is_engine_closed:
                raise EngineClosed("the engine ended before the worker")
        finally:
            await processor.abandon()
            await _cancel(watching)
            # Commits what was acknowledged, in order, and leaves the group.
            await drain(app.stop(), STOP_SECONDS)
            log.info("worker stopped")

    async def _watch(self, app: faust.App) -> None:
        while not app.crashed:
            await asyncio.sleep(CRASH_CHECK_SECONDS)
        self._fail(app.crash_reason or RuntimeError("Faust ended"))

    def _guard(
        self, on_event: Callable[[faust.EventT], Awaitable[None]]
    ) -> Callable[[faust.EventT], Awaitable[None]]:
        async def guarded(event: faust.EventT) -> None:
            try:
                await on_event(event)
            except Exception as error:
                # Raised out of the agent, Faust would restart it and go on behind this event.
                self._fail(error)
                await asyncio.Event().wait()

        return guarded

    def _fail(self, error: BaseException) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)
            self._failure.exception()  # seen: it may come too late to be raised

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        def on_end(ended: asyncio.Task[None]) -> None:
            error = None if ended.cancelled() else ended.exception()
            if ended.cancelled() and not ended.cancelling():
                # A library may raise CancelledError on its own: then a follower has ended without a word.
                error = RuntimeError("a task of the worker was cut short")
            if error is not None:
                self._fail(error)

        task = asyncio.create_task(work)
        task.add_done_callback(on_end)
        return task

    async def _finishes(self, work: Awaitable[Any]) -> bool:
        """Waits for work; returns False if the worker is stopped before, raises if it failed."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({working, stopping, self._failure}, return_when=asyncio.FIRST_COMPLETED)
            if self._failure.done():
                self._failure.result()
            if working.done():
                working.result()
                return True
            return False
        finally:
            await _cancel(stopping)
            if not working.done():
                await _cancel(working)


async def _cancel(task: "asyncio.Future[Any]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
