"""What happens to one application: decode, find its job, score, publish, done.

A record is done when its score or its dead letter has been acknowledged by the broker, and not
before. Whatever else goes wrong leaves it undone, so it is read again after a restart.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

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
from services.events.dead_letters import DeadLetters
from services.events.event_codec import SourceRecord
from services.events.event_reading import EventReader
from services.events.message_mapping import job_text, result_message
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.process.audit_log import NoAudit, ScoreAudit
from services.process.logging import get_logger
from services.process.metrics import ScoringMetrics
from services.process.tracing import Tracing, current_trace
from services.scoring_worker.application_order import ApplicationOrder, Place, Turn
from services.scoring_worker.job_store import KnownJob
from services.scoring_worker.score_writer import ScoreWriter
from services.scoring_worker.waiting_room import WaitingRoom

log = get_logger(__name__)

ENTRYPOINT = "kafka"
MAX_SCORING_ATTEMPTS = 3  # a forward pass may fail for lack of memory that is free a moment later
SCORING_PAUSE_SECONDS = 0.5
AUDIT_PAUSE_SECONDS = 1.0
MAX_OVERLOAD_PAUSE_SECONDS = 5.0
EXPIRY_CHECK_SECONDS = 0.25
NO_SUCH_JOB = "no such job was posted before or in time"
ROOM_FULL = (
    "its job may still come, but too many applications wait for jobs, and its sender or job has most of them "
    "(SCORER_WORKER_MAX_WAITING)"
)
# What is being published when its partition goes to another worker has so long to arrive before the other's.
LET_GO_SECONDS = 2.0


class Jobs(Protocol):
    """Knows the posted jobs; ``JobView`` is the real one."""

    def find(self, job_id: str) -> KnownJob | None:
        """Returns a job, or None if it is not known (yet)."""


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
        self._order = ApplicationOrder()
        self._publishing: set[Place] = set()
        self._num_let_go: Counter[int] = Counter()
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
        num_let_go = self._num_let_go[record.partition]
        await self._slots.acquire()
        # What was let go meanwhile is delivered again to whoever reads it now.
        if self._is_draining or self._num_let_go[record.partition] != num_let_go:
            self._slots.release()
            return
        self._start(record, self._process_in_slot(record))

    def on_job_posted(self, job_id: str) -> None:
        """Starts the applications that waited for this job."""
        for record in self._waiting.release(job_id):
            self._start(record, self._process_in_turn(record))
        self._metrics.waiting_applications.set(len(self._waiting))

    async def let_go(self, partitions: set[int]) -> None:
        """Drops the applications of partitions that another worker reads from now on, or this one anew.

        What is just being published is waited for, but not for long: a result that comes after the other
        worker's could be an older one. Cancelling costs little: whatever was not computed yet is withdrawn.
        """
        self._num_let_go.update(partitions)
        self._waiting.discard(lambda record: record.partition in partitions)
        self._metrics.waiting_applications.set(len(self._waiting))
        self._order.forget(partitions)
        lost = {place: task for place, task in self._in_hand.items() if place[0] in partitions}
        publishing = [task for place, task in lost.items() if place in self._publishing]
        for place in lost.keys() - self._publishing:
            del self._in_hand[place]  # at once: it may be delivered again before the task has ended
            lost[place].cancel()
        if publishing:
            await asyncio.wait(publishing, timeout=LET_GO_SECONDS)

    async def watch_waiting_room(self) -> None:
        """Puts aside, until cancelled, the applications whose job did not come in time."""
        while True:
            await asyncio.sleep(EXPIRY_CHECK_SECONDS)
            self._turn_away(self._waiting.expire(time.monotonic()), "unknown_job", NO_SUCH_JOB)

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
        turn = self._order.enter(application.application_id, record.place)
        job = self._job_of(application)
        if job is None:
            self._order.step_aside(turn)
            return application.job_id
        try:
            if turn.is_superseded:
                self._pass_over(record)
            else:
                await self._score(record, application, job, turn)
        finally:
            self._order.leave(turn)
        return None

    def _job_of(self, application: ApplicationSubmitted) -> KnownJob | None:
        if application.HasField("job"):
            return KnownJob(job_text(application.job.title, application.job.description))
        return self._jobs.find(application.job_id)

    async def _score(
        self, record: SourceRecord, application: ApplicationSubmitted, job: KnownJob, turn: Turn
    ) -> None:
        request = PairRequest(application.application_id, job.text, application.resume)
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
            result = result_message(score, request, application.job_id)
            if job.version is not None:
                result.job_version = job.version
            if not await self._order.come(turn):
                self._pass_over(record)
                return
            await self._deliver(record, request, score, result)
            self._order.note_published(turn)
            self._metrics.count_request(ENTRYPOINT, "ok")
            self._on_done(record)
            self._on_scored(score, application.job_id)

    async def _deliver(
        self, record: SourceRecord, request: PairRequest, score: PairScore, result: ScoreResult
    ) -> None:
        self._publishing.add(record.place)
        try:
            await self._note(record, request, score)
            await self._scores.put(record, result)
        finally:
            self._publishing.discard(record.place)

    def _pass_over(self, record: SourceRecord) -> None:
        """Is done with an event that waited for its job while a later one of its application was scored."""
        self._metrics.count_request(ENTRYPOINT, "superseded")
        self._on_done(record)

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
        evicted = self._waiting.enter(record, job_id, time.monotonic())
        self._turn_away(evicted, "waiting_room_full", ROOM_FULL)

    def _turn_away(self, records: list[SourceRecord], kind: str, message: str) -> None:
        for record in records:
            if self._order.withdraw(record.place):
                self._pass_over(record)
                continue
            self._start(record, self._put_aside(record, kind, message, outcome=kind))
        self._metrics.waiting_applications.set(len(self._waiting))

    async def _put_aside(
        self, record: SourceRecord, kind: str, message: str, *, outcome: str, attempts: int = 1
    ) -> None:
        current_trace.get().on_refusal(kind)
        await self._dead_letters.put(record, kind, message, attempts)
        self._metrics.count_request(ENTRYPOINT, outcome)
        self._on_done(record)
