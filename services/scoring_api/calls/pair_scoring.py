"""Checks, scores and counts pairs, whichever call they came with."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from google.protobuf.message import Message

from services.contracts.engine import PairScorer
from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import DeadLetterKind, Entrypoint, Outcome
from services.contracts.scoring import PairRequest, PairScore
from services.events.wire.message_limits import violations_of
from services.events.wire.message_mapping import job_text
from services.pb.scoring.v1.scoring_service_pb2 import ScoreRequest
from services.process.audit_log import NoAudit, ScoreAudit
from services.process.tracing import current_trace
from services.scoring_api.access.callers import current_caller
from services.scoring_api.answers.deadlines import ends_by
from services.scoring_api.answers.error_status import outcome_of

# The engine names a pair's texts as ScoreRequest does.
SCORE_REQUEST_PATHS: Mapping[str, str] = {}
INNER_REQUEST_PATHS = {"resume": "request.resume", "job.description": "request.job.description"}


class RequestCounter(Protocol):
    """Counts answered pairs; ``ApiMetrics`` is the real one."""

    def count_request(self, entrypoint: Entrypoint, outcome: Outcome) -> None:
        """Counts one pair by where it came in and how it ended."""

    def observe_request(self, entrypoint: Entrypoint, seconds: float) -> None:
        """Notes how long a checked pair took."""


class PairScoring:
    """Puts checking, a deadline and counting around a scorer.

    Args:
        counter: told how every pair ended.
        audit: takes note of every score before it is answered; None: nobody does.
    """

    def __init__(self, scorer: PairScorer, counter: RequestCounter, audit: ScoreAudit | None = None) -> None:
        self.scorer = scorer
        self._counter = counter
        self._audit = audit or NoAudit()

    def check(self, entrypoint: Entrypoint, message: Message, more: Sequence[FieldViolation] = ()) -> None:
        """Accepts a request within its limits.

        Args:
            more: violations that the limits of single fields cannot tell.

        Raises:
            InvalidInput: it breaks a limit; that counts as an answered pair.
        """
        violations = (*violations_of(message), *more)
        if violations:
            error = InvalidInput(DeadLetterKind.FIELD_LIMITS, violations)
            self._counter.count_request(entrypoint, outcome_of(error))
            raise error

    async def score(
        self,
        entrypoint: Entrypoint,
        pair: PairRequest,
        deadline: float,
        paths: Mapping[str, str] = SCORE_REQUEST_PATHS,
    ) -> PairScore:
        """Scores one pair.

        Args:
            deadline: ``time.monotonic()`` seconds.
            paths: of the pair's texts in the caller's request, where it is no ScoreRequest.

        Raises:
            AuditLogUnwritable: the score cannot be noted, and so is not told.
            what ``PairScorer.score`` raises, with the paths of the caller's request.
        """
        with self._counting(entrypoint, deadline):
            try:
                async with ends_by(deadline):
                    score = await self.scorer.score(pair)
                    current_trace.get().on_score(score)
                    await self._audit.note(current_caller.get().name, entrypoint, pair, score)
                    return score
            except InvalidInput as error:
                raise _relocated(error, paths) from error

    @contextmanager
    def _counting(self, entrypoint: Entrypoint, deadline: float) -> Iterator[None]:
        outcome, started = Outcome.OK, time.monotonic()
        try:
            yield
        except asyncio.CancelledError:
            # At the deadline gRPC may cancel the call a moment before our own clock does.
            outcome = Outcome.DEADLINE_EXPIRED if time.monotonic() >= deadline else Outcome.CANCELLED
            raise
        except Exception as error:
            outcome = outcome_of(error)
            raise
        finally:
            self._counter.count_request(entrypoint, outcome)
            self._counter.observe_request(entrypoint, time.monotonic() - started)


def pair_of(request: ScoreRequest, deadline: float) -> PairRequest:
    """Returns the pair that a checked request holds.

    Args:
        deadline: ``time.monotonic()`` seconds.
    """
    return PairRequest(
        request_id=request.application_id,
        job_description=job_text(request.job.title, request.job.description),
        resume=request.resume,
        deadline=deadline,
    )


def _relocated(error: InvalidInput, paths: Mapping[str, str]) -> InvalidInput:
    return InvalidInput(
        error.kind,
        [FieldViolation(paths.get(each.field, each.field), each.description) for each in error.violations],
    )
