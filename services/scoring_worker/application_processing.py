"""What happens to one application: decode, find its job, score, publish, done.

A record is done when its score or its dead letter has been acknowledged by the broker, and not
before. Whatever else goes wrong leaves it undone, so it is read again after a restart.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer

from services.contracts.engine import PairScorer
from services.contracts.errors import (
    AuditLogUnwritable,
    EngineClosed,
    EngineOverloaded,
    InvalidInput,
    ScoringFailed,
    TextsUnreadable,
)
from services.contracts.scoring import PairRequest, PairScore
from services.contracts.topics import APPLICATION_SCORED
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.scoring_worker.waiting_room import WaitingRoom
from services.service_kit.audit_log import NoAudit, ScoreAudit
from services.service_kit.dead_letters import DeadLetters
from services.service_kit.event_codec import (
    SourceRecord,
    cloud_event_headers,
    encode_event,
    event_time_seconds,
)
from services.service_kit.event_reading import EventReader
from services.service_kit.kafka_client import publish
from services.service_kit.logging import get_logger
from services.service_kit.message_mapping import job_text, result_message
from services.service_kit.metrics import ScoringMetrics
from services.service_kit.tracing import Tracing, current_trace

log = get_logger(__name__)

ENTRYPOINT = "kafka"
MAX_SCORING_ATTEMPTS = 3  # a forward pass may fail for lack of memory that is free a moment later
SCORING_PAUSE_SECONDS = 0.5
AUDIT_PAUSE_SECONDS = 1.0
MAX_OVERLOAD_PAUSE_SECONDS = 5.0
EXPIRY_CHECK_SECONDS = 0.25

# Of which name-based event ids are derived: the same score gets the same ce_id on redelivery.
EVENT_ID_NAMESPACE = uuid.UUID("6f1f2f1e-52a4-5a86-9f0a-6a0a6f6b7a11")


class Jobs(Protocol):
    """Knows the posted jobs; ``JobView`` is the real one."""

    def text_of(self, job_id: str) -> str | None:
        """Returns title and description of a job, or None if it is not known (yet)."""


@dataclass(frozen=True, slots=True)
class ScoreWriter:
    """Publishes scores.

    Attributes:
        producer: waits for all replicas.
        metrics: is told how old the event was.
    """

    producer: AIOKafkaProducer
    metrics: ScoringMetrics

    async def put(self, record: SourceRecord, result: ScoreResult) -> None:
        """Writes one score and returns when the broker has it."""
        name = f"{result.application_id}\0{result.adapter_digest}\0{record.partition}\0{record.offset}"
        headers = cloud_event_headers(APPLICATION_SCORED, str(uuid.uuid5(EVENT_ID_NAMESPACE, name)))
        trace = current_trace.get()
        with trace.step("publish"):
            await publish(
                self.producer,
                APPLICATION_SCORED,
                key=result.application_id.encode(),
                value=encode_event(result),
                headers=[*headers, *trace.headers()],
            )
        happened = event_time_seconds(record.headers, record.timestamp_ms)
        if happened is not None:
            self.metrics.event_age_seconds.observe(max(0.0, time.time() - happened))


class ApplicationProcessor:
    """Keeps many applications in hand at once, so that the engine can group them by job.

    Attributes:
        closed: set when the engine takes no more work.
    """

    def __init__(
        self,
        scorer: PairScorer,
        jobs: Jobs,
        scores: ScoreWriter,
        dead_letters: DeadLetters,
        waiting_room: WaitingRoom,
        metrics: ScoringMetrics,
        *,
        max_in_flight: int,
        on_done: Callable[[SourceRecord], None],
        on_failure: Callable[[BaseException], None],
        on_scored: Callable[[PairScore, str], None] = lambda _score, _job_id: None,
        audit: ScoreAudit | None = None,
        tracing: Tracing | None = None,
        reader: EventReader | None = None,
    ) -> None:
        """Builds the processor.

        Args:
            max_in_flight: applications handed to the engine or being published, at most.
            on_done: is told once for every record that needs no more work.
            on_failure: is told of an error that is a bug; the process must end with it.
            on_scored: is told of every score, with its job's id, once the score is delivered.
            audit: takes note of every score before it is published; None: nobody does.
            tracing: traces every application; None: nobody does.
            reader: reads the records; None: reads past unknown fields and counts none.
        """
        self._scorer = scorer
        self._jobs = jobs
        self._scores = scores
        self._dead_letters = dead_letters
        self._waiting = waiting_room
        self._metrics = metrics
        self._slots = asyncio.Semaphore(max_in_flight)
        self._on_done = on_done
        self._in_hand: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._is_draining = False
        self._on_failure = on_failure
        self._on_scored = on_scored
        self._audit = audit or NoAudit()
        self._tracing = tracing or Tracing.off()
        self._reader = reader or EventReader()
        self.closed = asyncio.Event()

    @property
    def num_in_hand(self) -> int:
        """Returns how many applications are being worked on; waiting ones do not count."""
        return len(self._in_hand)

    async def take(self, record: SourceRecord) -> None:
        """Starts work on a record; returns at once if there is room, else when there is.

        A record that is in hand already, because Kafka delivered it again, is not started twice.
        """
        if record.place in self._in_hand or record.place in self._waiting:
            return
        await self._slots.acquire()
        if self._is_draining:
            self._slots.release()
            return
        self._start(record, self._process_in_slot(record))

    def on_job_posted(self, job_id: str) -> None:
        """Starts the applications that waited for this job."""
        for record in self._waiting.release(job_id):
            self._start(record, self._process_in_turn(record))
        self._metrics.waiting_applications.set(len(self._waiting))

    def forget(self, partitions: set[int]) -> None:
        """Drops the waiting applications of partitions that now belong to another worker."""
        self._waiting.discard(lambda record: record.partition in partitions)
        self._metrics.waiting_applications.set(len(self._waiting))

    async def watch_waiting_room(self) -> None:
        """Puts aside, until cancelled, the applications whose job did not come in time."""
        while True:
            await asyncio.sleep(EXPIRY_CHECK_SECONDS)
            self._turn_away(self._waiting.expire(time.monotonic()))

    async def finish_in_hand(self) -> None:
        """Takes nothing more and returns when nothing is in hand; the waiting ones stay undone."""
        self._is_draining = True
        while self._in_hand:
            await asyncio.wait(list(self._in_hand.values()))

    async def abandon(self) -> None:
        """Cancels what is still in hand; it stays undone."""
        tasks = list(self._in_hand.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, record: SourceRecord, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._in_hand[record.place] = task
        self._metrics.in_flight_applications.set(len(self._in_hand))
        task.add_done_callback(lambda ended: self._end(record, ended))

    def _end(self, record: SourceRecord, task: asyncio.Task[None]) -> None:
        if self._in_hand.get(record.place) is task:
            del self._in_hand[record.place]
        self._metrics.in_flight_applications.set(len(self._in_hand))
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._on_failure(error)

    async def _process_in_turn(self, record: SourceRecord) -> None:
        await self._slots.acquire()
        await self._process_in_slot(record)

    async def _process_in_slot(self, record: SourceRecord) -> None:
        try:
            await self._process(record)
        finally:
            self._slots.release()

    async def _process(self, record: SourceRecord) -> None:
        with self._tracing.of_record("application", record.headers):
            missing_job_id = await self._process_unless_job_is_missing(record)
        if missing_job_id is not None:
            self._let_wait(record, missing_job_id)

    async def _process_unless_job_is_missing(self, record: SourceRecord) -> str | None:
        try:
            application = self._reader.read(record, ApplicationSubmitted)
        except InvalidInput as error:
            await self._put_aside(record, error.kind, str(error), outcome="invalid_input")
            return None
        job = self._job_of(application)
        if job is None:
            return application.job_id
        await self._score(record, application, job)
        return None

    def _job_of(self, application: ApplicationSubmitted) -> str | None:
        if application.HasField("job"):
            return job_text(application.job.title, application.job.description)
        return self._jobs.text_of(application.job_id)

    async def _score(self, record: SourceRecord, application: ApplicationSubmitted, job: str) -> None:
        request = PairRequest(application.application_id, job, application.resume)
        try:
            score = await self._score_with_patience(request)
        except InvalidInput as error:
            await self._put_aside(record, "invalid_input", str(error), outcome="invalid_input")
        except TextsUnreadable:
            message = "reading this application's texts failed"
            await self._put_aside(record, "scoring_failed", message, outcome="scoring_failed")
        except ScoringFailed:
            message = "the model failed on this application"
            await self._put_aside(
                record, "scoring_failed", message, outcome="scoring_failed", attempts=MAX_SCORING_ATTEMPTS
            )
        except EngineClosed:
            self._metrics.count_request(ENTRYPOINT, "closed")
            self.closed.set()  # undone, and so read again by whoever gets the partition next
        else:
            current_trace.get().on_score(score)
            await self._note(record, request, score)
            await self._scores.put(record, result_message(score, application.job_id))
            self._metrics.count_request(ENTRYPOINT, "ok")
            self._on_done(record)
            self._on_scored(score, application.job_id)

    async def _note(self, record: SourceRecord, request: PairRequest, score: PairScore) -> None:
        caller = f"{record.topic}/{record.partition}@{record.offset}"
        while True:
            try:
                return await self._audit.note(caller, ENTRYPOINT, request, score)
            except AuditLogUnwritable as error:
                # As with Kafka away: the score waits in hand, and so the reading waits too. Nothing is lost.
                log.error("a score is held back", reason=str(error))
                await asyncio.sleep(AUDIT_PAUSE_SECONDS)

    async def _score_with_patience(self, request: PairRequest) -> PairScore:
        attempt = 1
        while True:
            try:
                return await self._scorer.score(request)
            except EngineOverloaded as error:
                # Kafka is the queue: waiting here holds a slot, and so holds back the reading.
                self._metrics.count_request(ENTRYPOINT, "overloaded")
                await asyncio.sleep(min(error.retry_after_seconds, MAX_OVERLOAD_PAUSE_SECONDS))
            except ScoringFailed as error:
                if attempt == MAX_SCORING_ATTEMPTS or isinstance(error, TextsUnreadable):
                    raise
                attempt += 1
                await asyncio.sleep(SCORING_PAUSE_SECONDS)

    def _let_wait(self, record: SourceRecord, job_id: str) -> None:
        self._turn_away(self._waiting.enter(record, job_id, time.monotonic()))

    def _turn_away(self, records: list[SourceRecord]) -> None:
        for record in records:
            message = "no such job was posted before or in time"
            self._start(record, self._put_aside(record, "unknown_job", message, outcome="unknown_job"))
        self._metrics.waiting_applications.set(len(self._waiting))

    async def _put_aside(
        self, record: SourceRecord, kind: str, message: str, *, outcome: str, attempts: int = 1
    ) -> None:
        current_trace.get().on_refusal(kind)
        await self._dead_letters.put(record, kind, message, attempts)
        self._metrics.count_request(ENTRYPOINT, outcome)
        self._on_done(record)
