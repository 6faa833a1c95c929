"""One application, from its record to what came of it; nothing is written, counted or acknowledged here."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from services.contracts.engine import PairScorer
from services.contracts.errors import (
    EngineClosed,
    EngineOverloaded,
    InvalidInput,
    ScoringFailed,
    TextsUnreadable,
)
from services.contracts.outcomes import DeadLetterKind, InputFault, Outcome
from services.contracts.scoring import PairRequest, PairScore
from services.events.wire.message_mapping import job_text, result_message
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.scoring_worker.job_store import KnownJob

MAX_SCORING_ATTEMPTS = 3  # a forward pass may fail for lack of memory that is free a moment later
SCORING_PAUSE_SECONDS = 0.5
MAX_OVERLOAD_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Scored:
    """It has a score.

    Attributes:
        request: what was scored.
        score: what the engine gave.
        job_id: of the posted job; empty where it came inline.
        job_version: of the posting; None where it has none.
    """

    request: PairRequest
    score: PairScore
    job_id: str
    job_version: int | None

    def result(self) -> ScoreResult:
        """Returns the message to publish."""
        result = result_message(self.score, self.request, self.job_id)
        if self.job_version is not None:
            result.job_version = self.job_version
        return result


@dataclass(frozen=True, slots=True)
class Unprocessable:
    """It becomes a dead letter.

    Attributes:
        kind: of the dead letter.
        message: for people; without any text of the record.
        outcome: as what it is counted.
        num_attempts: how often scoring was tried.
    """

    kind: DeadLetterKind | InputFault
    message: str
    outcome: Outcome
    num_attempts: int = 1


@dataclass(frozen=True, slots=True)
class JobMissing:
    """Its job is not known (yet).

    Attributes:
        job_id: of the job.
    """

    job_id: str


class Undone:
    """It stays undone, and so is read again by whoever gets its partition next: the engine is closed."""


ApplicationOutcome = Scored | Unprocessable | JobMissing | Undone


class Jobs(Protocol):
    """Knows the posted jobs; ``JobStore`` is the real one."""

    def find(self, job_id: str) -> KnownJob | None:
        """Returns a job, or None if it is not known (yet)."""


def unprocessable_input(error: InvalidInput) -> Unprocessable:
    """Returns what comes of a record that cannot be read."""
    return Unprocessable(error.kind, str(error), Outcome.INVALID_INPUT)


class ApplicationScoring:
    """Scores applications.

    Args:
        on_overload: told each time that the engine had no room.
    """

    def __init__(self, scorer: PairScorer, jobs: Jobs, on_overload: Callable[[], None]) -> None:
        self._scorer = scorer
        self._jobs = jobs
        self._on_overload = on_overload

    def job_of(self, application: ApplicationSubmitted) -> KnownJob | JobMissing:
        """Returns the job that an application is for, inline or posted."""
        if application.HasField("job"):
            return KnownJob(job_text(application.job.title, application.job.description))
        return self._jobs.find(application.job_id) or JobMissing(application.job_id)

    async def outcome_of(self, application: ApplicationSubmitted, job: KnownJob) -> ApplicationOutcome:
        """Scores one application; an engine without room is waited for.

        Raises:
            Exception: a bug.
        """
        request = PairRequest(application.application_id, job.text, application.resume)
        try:
            score = await self._score_with_patience(request)
        except InvalidInput as error:
            return Unprocessable(DeadLetterKind.INVALID_INPUT, str(error), Outcome.INVALID_INPUT)
        except TextsUnreadable:
            return _failed("reading this application's texts failed", num_attempts=1)
        except ScoringFailed:
            return _failed("the model failed on this application", MAX_SCORING_ATTEMPTS)
        except EngineClosed:
            return Undone()
        return Scored(request, score, application.job_id, job.version)

    async def _score_with_patience(self, request: PairRequest) -> PairScore:
        attempt = 1
        while True:
            try:
                return await self._scorer.score(request)
            except EngineOverloaded as error:
                # Kafka is the queue: waiting here holds a slot, and so holds back the reading.
                self._on_overload()
                await asyncio.sleep(min(error.retry_after_seconds, MAX_OVERLOAD_PAUSE_SECONDS))
            except ScoringFailed as error:
                if attempt == MAX_SCORING_ATTEMPTS or isinstance(error, TextsUnreadable):
                    raise
                attempt += 1
                await asyncio.sleep(SCORING_PAUSE_SECONDS)


def _failed(message: str, num_attempts: int) -> Unprocessable:
    return Unprocessable(DeadLetterKind.SCORING_FAILED, message, Outcome.SCORING_FAILED, num_attempts)
