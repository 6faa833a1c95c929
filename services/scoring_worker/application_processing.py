"""What happens to one application: ``outcome_of`` finds what comes of it, ``settle`` does it.

A record is done when its score or its dead letter has been acknowledged by the broker, and not
before. Whatever else goes wrong leaves it undone, so it is read again after a restart.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from services.contracts.errors import AuditLogUnwritable, InvalidInput
from services.contracts.outcomes import DeadLetterKind, Entrypoint, Outcome
from services.contracts.scoring import PairScore
from services.events.dead_letters import DeadLetters
from services.events.wire.event_codec import SourceRecord
from services.events.wire.event_reading import EventReader
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted
from services.process.audit_log import NoAudit, ScoreAudit
from services.process.logging import get_logger
from services.process.tracing import Tracing, current_trace
from services.scoring_worker.application_order import ApplicationOrder, Turn
from services.scoring_worker.application_scoring import (
    ApplicationOutcome,
    ApplicationScoring,
    JobMissing,
    Scored,
    Undone,
    Unprocessable,
    unprocessable_input,
)
from services.scoring_worker.in_flight import InFlight
from services.scoring_worker.metrics import WorkerMetrics
from services.scoring_worker.score_writer import ScoreWriter
from services.scoring_worker.waiting_room import WaitingRoom

log = get_logger(__name__)

AUDIT_PAUSE_SECONDS = 1.0
EXPIRY_CHECK_SECONDS = 0.25
NO_SUCH_JOB = "no such job was posted before or in time"
ROOM_FULL = (
    "its job may still come, but too many applications wait for jobs, and its sender or job has most of them "
    "(SCORER_WORKER_MAX_WAITING)"
)


@dataclass(frozen=True, slots=True)
class WaysOut:
    """Where an application's outcome goes.

    Attributes:
        scores: publish scores.
        dead_letters: take what cannot be processed.
        acknowledge: told once of every record that needs no more work.
        on_scored: told of every score, with its job's id, once the score is delivered.
        audit: takes note of every score before it is published.
    """

    scores: ScoreWriter
    dead_letters: DeadLetters
    acknowledge: Callable[[SourceRecord], None]
    on_scored: Callable[[PairScore, str], None] = lambda _score, _job_id: None
    audit: ScoreAudit = field(default_factory=NoAudit)


class ApplicationProcessor:
    """Keeps many applications in flight at once, so that the engine can group them by job.

    Args:
        scoring: finds what comes of an application.
        ways_out: where that goes.
        waiting_room: for applications that came before their job.
        in_flight: the work that goes on.
        tracing: traces every application; None: nobody does.
        reader: reads the records; None: reads past unknown fields and counts none.

    Attributes:
        closed: set when the engine takes no more work.
    """

    def __init__(
        self,
        scoring: ApplicationScoring,
        ways_out: WaysOut,
        waiting_room: WaitingRoom,
        in_flight: InFlight,
        metrics: WorkerMetrics,
        tracing: Tracing | None = None,
        reader: EventReader | None = None,
    ) -> None:
        self._scoring = scoring
        self._out = ways_out
        self._waiting = waiting_room
        self._in_flight = in_flight
        self._metrics = metrics
        self._tracing = tracing or Tracing.off()
        self._reader = reader or EventReader()
        self._order = ApplicationOrder()
        self.closed = asyncio.Event()

    async def take(self, record: SourceRecord) -> None:
        """Starts work on a record; returns at once if there is room, else when there is.

        A record that is in flight already, because Kafka delivered it again, is not started twice.
        """
        if record.position in self._in_flight or record.position in self._waiting:
            return
        if await self._in_flight.reserve(record.partition):
            self._in_flight.start_reserved(record.position, partial(self._process, record))

    def on_job_posted(self, job_id: str) -> None:
        """Starts the applications that waited for this job."""
        for record in self._waiting.release(job_id):
            self._in_flight.start_in_turn(record.position, partial(self._process, record))
        self._count_waiting()

    async def let_go(self, partitions: set[int]) -> None:
        """Drops the applications of partitions that another worker reads from now on; see ``InFlight``."""
        self._waiting.discard(lambda record: record.partition in partitions)
        self._count_waiting()
        self._order.forget(partitions)
        await self._in_flight.let_go(partitions)

    async def watch_waiting_room(self) -> None:
        """Makes dead letters, until cancelled, of the applications whose job did not come in time."""
        while True:
            await asyncio.sleep(EXPIRY_CHECK_SECONDS)
            expired = self._waiting.expire(time.monotonic())
            self._turn_away(
                expired, Unprocessable(DeadLetterKind.UNKNOWN_JOB, NO_SUCH_JOB, Outcome.UNKNOWN_JOB)
            )

    async def _process(self, record: SourceRecord) -> None:
        with self._tracing.of_record("application", record.headers):
            outcome = await self._read_and_settle(record)
        if isinstance(outcome, JobMissing):
            self._let_wait(record, outcome)

    async def _read_and_settle(self, record: SourceRecord) -> ApplicationOutcome | None:
        """Carries an application to its end; returns JobMissing where that has to wait."""
        try:
            application = self._reader.read(record, ApplicationSubmitted)
        except InvalidInput as error:
            await self._settle(record, unprocessable_input(error))
            return None
        turn = self._order.enter(application.application_id, record.position)
        job = self._scoring.job_of(application)
        if isinstance(job, JobMissing):
            self._order.step_aside(turn)
            return job
        try:
            if turn.is_superseded:
                self._pass_over(record)
            else:
                outcome = await self._scoring.outcome_of(application, job)
                await self._settle(record, outcome, turn)
        finally:
            self._order.leave(turn)
        return None

    async def _settle(
        self, record: SourceRecord, outcome: ApplicationOutcome, turn: Turn | None = None
    ) -> None:
        """Does what comes of a record; a JobMissing has nothing to settle.

        Args:
            turn: of an application that could be read.
        """
        match outcome:
            case Scored():
                assert turn is not None, "what was scored was read before"
                await self._deliver(record, outcome, turn)
            case Unprocessable():
                current_trace.get().on_refusal(outcome.kind)
                await self._out.dead_letters.put(record, outcome.kind, outcome.message, outcome.num_attempts)
                self._metrics.count_request(Entrypoint.KAFKA, outcome.outcome)
                self._out.acknowledge(record)
            case Undone():
                self._metrics.count_request(Entrypoint.KAFKA, Outcome.CLOSED)
                self.closed.set()

    async def _deliver(self, record: SourceRecord, scored: Scored, turn: Turn) -> None:
        current_trace.get().on_score(scored.score)
        result = scored.result()
        if not await self._order.come(turn):
            self._pass_over(record)
            return
        with self._in_flight.publishing(record.position):
            await self._note(record, scored)
            await self._out.scores.put(record, result)
        self._order.note_published(turn)
        self._metrics.count_request(Entrypoint.KAFKA, Outcome.OK)
        self._out.acknowledge(record)
        self._out.on_scored(scored.score, scored.job_id)

    async def _note(self, record: SourceRecord, scored: Scored) -> None:
        caller = f"{record.topic}/{record.partition}@{record.offset}"
        while True:
            try:
                return await self._out.audit.note(caller, Entrypoint.KAFKA, scored.request, scored.score)
            except AuditLogUnwritable as error:
                # As with Kafka away: the score stays in flight, so the reading waits too. Nothing is lost.
                log.error("a score is held back", reason=str(error))
                await asyncio.sleep(AUDIT_PAUSE_SECONDS)

    def _pass_over(self, record: SourceRecord) -> None:
        """Is done with an event that waited for its job while a later one of its application was scored."""
        self._metrics.count_request(Entrypoint.KAFKA, Outcome.SUPERSEDED)
        self._out.acknowledge(record)

    def _let_wait(self, record: SourceRecord, missing: JobMissing) -> None:
        evicted = self._waiting.enter(record, missing.job_id, time.monotonic())
        self._turn_away(
            evicted, Unprocessable(DeadLetterKind.WAITING_ROOM_FULL, ROOM_FULL, Outcome.WAITING_ROOM_FULL)
        )

    def _turn_away(self, records: Iterable[SourceRecord], outcome: Unprocessable) -> None:
        for record in records:
            if self._order.withdraw(record.position):
                self._pass_over(record)
            else:
                self._in_flight.start(record.position, partial(self._settle, record, outcome))
        self._count_waiting()

    def _count_waiting(self) -> None:
        self._metrics.waiting_applications.set(len(self._waiting))
