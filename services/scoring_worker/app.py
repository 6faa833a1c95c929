"""Puts the worker together and runs it: jobs and applications in, scores out."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import faust

from services.contracts.engine import PairScorer
from services.contracts.errors import EngineClosed
from services.contracts.outcomes import Entrypoint, Outcome
from services.contracts.topics import APPLICATION_SUBMITTED, JOB_POSTED
from services.events.dead_letters import DeadLetters
from services.events.kafka_client import create_topics, start_producer, stop_producer, wait_for_kafka
from services.events.wire.event_reading import EventReader
from services.process.audit_log import ScoreAudit, open_audit_log
from services.process.health_server import Checks, HealthServer
from services.process.logging import get_logger
from services.process.settings import Settings
from services.process.shutdown import drain
from services.process.supervisor import Supervisor, cancel
from services.process.tracing import Tracing
from services.scoring_worker.annotation_requests import AnnotationRequests
from services.scoring_worker.application_processing import ApplicationProcessor, WaysOut
from services.scoring_worker.application_scoring import ApplicationScoring
from services.scoring_worker.in_flight import InFlight
from services.scoring_worker.intake.application_intake import Acknowledgements, ApplicationIntake
from services.scoring_worker.intake.delivery_check import DeliveryCheck
from services.scoring_worker.intake.faust_app import add_agent, build_faust_app
from services.scoring_worker.intake.job_validation import JobValidator
from services.scoring_worker.intake.progress_watch import ProgressWatch
from services.scoring_worker.job_store import JobStore
from services.scoring_worker.job_view import JobView
from services.scoring_worker.metrics import WorkerMetrics
from services.scoring_worker.score_writer import ScoreWriter
from services.scoring_worker.waiting_room import WaitingRoom

log = get_logger(__name__)

CRASH_CHECK_SECONDS = 0.2
STOP_SECONDS = 10.0  # the last commit may find no broker


async def run_worker(
    settings: Settings,
    scorer: PairScorer,
    metrics: WorkerMetrics,
    *,
    stop: asyncio.Event,
    is_model_warm: Callable[[], bool] = lambda: True,
    tracing: Tracing | None = None,
    ready: Checks | None = None,
) -> None:
    """Scores applications until ``stop`` is set, then finishes what is in flight and commits.

    Args:
        scorer: the model; closed by whoever made it.
        metrics: served, with health, on ``worker_metrics_port``.
        stop: set it to end; work in flight has ``drain_seconds``.
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
        metrics: WorkerMetrics,
        stop: asyncio.Event,
        tracing: Tracing,
    ) -> None:
        self._settings = settings
        self._scorer = scorer
        self._metrics = metrics
        self._tracing = tracing
        self._supervisor = Supervisor(stop)
        self._job_store = JobStore()
        self._reader = EventReader(settings.strict_fields, metrics.dead_letters)
        self._in_flight = InFlight(
            settings.worker_max_in_flight, metrics.in_flight_applications.set, self._supervisor.fail
        )
        self._assigned = asyncio.Event()
        self._view: JobView | None = None
        self._progress: ProgressWatch | None = None
        self._audit: ScoreAudit | None = None

    def is_connected(self) -> bool:
        return self._assigned.is_set() and self._progress is not None and self._progress.is_in_contact()

    def is_moving(self) -> bool:
        return self._progress is None or self._progress.is_moving()

    def has_jobs(self) -> bool:
        return self._view is not None and self._view.caught_up.is_set()

    def can_note(self) -> bool:
        return self._audit is None or self._audit.is_writable

    async def run(self) -> None:
        started = time.monotonic()
        settings, metrics, finishes = self._settings, self._metrics, self._supervisor.finishes
        async with AsyncExitStack() as stack:  # closed last to first
            stack.callback(self._job_store.close)
            if not await finishes(wait_for_kafka(settings)):
                return
            await create_topics(settings)
            producer = await start_producer(settings)
            stack.push_async_callback(stop_producer, producer)
            check = await stack.enter_async_context(DeliveryCheck(settings, APPLICATION_SUBMITTED))
            audit = open_audit_log(settings, "scoring-worker", metrics.audit_failures.inc)
            stack.push_async_callback(audit.close)
            dead_letters = DeadLetters(producer, metrics.dead_letters)
            annotations = AnnotationRequests(producer, metrics, settings.annotation_requests_per_hour)
            acknowledgements = Acknowledgements()
            processor = self._build_processor(
                WaysOut(
                    ScoreWriter(producer, metrics),
                    dead_letters,
                    acknowledgements.acknowledge,
                    annotations.on_scored,
                    audit,
                )
            )
            app = build_faust_app(settings, metrics)
            intake = ApplicationIntake(app, check, acknowledgements, processor)
            view = JobView(settings, metrics, self._job_store, processor.on_job_posted)
            progress = ProgressWatch(settings, check)
            self._audit, self._view, self._progress = audit, view, progress
            self._connect(app, intake, JobValidator(dead_letters, self._reader), progress)
            for work in (
                view.follow(),
                progress.watch(),
                processor.watch_waiting_room(),
                annotations.publish_until_cancelled(),
            ):
                stack.push_async_callback(cancel, self._supervisor.in_background(work))
            # Applications come after the jobs that are there already, so few have to wait.
            if await finishes(view.caught_up.wait()):
                await self._score_until_stopped(app, processor, started)

    def _build_processor(self, ways_out: WaysOut) -> ApplicationProcessor:
        settings, metrics = self._settings, self._metrics
        count_overload = partial(metrics.count_request, Entrypoint.KAFKA, Outcome.OVERLOADED)
        return ApplicationProcessor(
            ApplicationScoring(self._scorer, self._job_store, count_overload),
            ways_out,
            WaitingRoom(settings.worker_job_wait_seconds, settings.worker_max_waiting),
            self._in_flight,
            metrics,
            self._tracing,
            self._reader,
        )

    def _connect(
        self, app: faust.App, intake: ApplicationIntake, validator: JobValidator, progress: ProgressWatch
    ) -> None:
        add_agent(app, APPLICATION_SUBMITTED, "applications", self._guard(intake.on_event))
        add_agent(app, JOB_POSTED, "jobs", self._guard(validator.on_event))

        async def on_revoked(_app: faust.App, revoked: Any, **_: Any) -> None:
            self._assigned.clear()
            progress.on_revoked()
            await intake.on_revoked(revoked)

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
        finishes = self._supervisor.finishes
        watching = self._supervisor.in_background(self._watch(app))
        try:
            if not await finishes(app.start()) or not await finishes(self._assigned.wait()):
                return
            log.info("worker ready", seconds=round(time.monotonic() - started, 2))
            is_engine_closed = await finishes(processor.closed.wait())
            self._assigned.clear()  # no longer ready
            log.info("worker draining", in_flight=len(self._in_flight))
            await drain(self._in_flight.drain(), self._settings.drain_seconds)
            # Faust's commit does nothing where it meets another one under way, and its last one may: then
            # what was acknowledged meanwhile would be scored again. This one waits for it.
            await drain(app.consumer.commit(), STOP_SECONDS)
            self._supervisor.raise_failure()
            if is_engine_closed:
                raise EngineClosed("the engine ended before the worker")
        finally:
            await self._in_flight.abandon()
            await cancel(watching)
            # Commits what was acknowledged, in order, and leaves the group.
            await drain(app.stop(), STOP_SECONDS)
            log.info("worker stopped")

    async def _watch(self, app: faust.App) -> None:
        while not app.crashed:
            await asyncio.sleep(CRASH_CHECK_SECONDS)
        self._supervisor.fail(app.crash_reason or RuntimeError("Faust ended"))

    def _guard(
        self, on_event: Callable[[faust.EventT], Awaitable[None]]
    ) -> Callable[[faust.EventT], Awaitable[None]]:
        async def guarded(event: faust.EventT) -> None:
            try:
                await on_event(event)
            except Exception as error:
                # Raised out of the agent, Faust would restart it and go on behind this event.
                self._supervisor.fail(error)
                await asyncio.Event().wait()

        return guarded
