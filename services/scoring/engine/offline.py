"""Scores many pairs in this process, without Kafka or gRPC."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from services.contracts.engine_settings import EngineSettings
from services.contracts.errors import FieldViolation, InvalidInput, ScoringFailed
from services.contracts.scoring import PairRequest, PairScore
from services.scoring.engine.factory import build_engine
from services.scoring.engine.scoring_engine import ScoringEngine

# Enough to fill batches of one job; far below the queue's bound.
_MAX_IN_FLIGHT = 256

#: What came of a pair: its score, or why it alone has none.
Outcome = PairScore | InvalidInput | ScoringFailed


@dataclass(frozen=True, slots=True)
class OfflineRun:
    """What a run gave.

    Attributes:
        requests: what was asked for.
        outcomes: in the order of the requests.
    """

    requests: Sequence[PairRequest]
    outcomes: Sequence[Outcome]

    @property
    def scores(self) -> list[PairScore]:
        """Returns the scores, where every pair has one.

        Raises:
            InvalidInput, ScoringFailed: one has none; the first, named by its request.
        """
        scores = []
        for request, outcome in zip(self.requests, self.outcomes, strict=True):
            if isinstance(outcome, Exception):
                raise named(request.request_id, outcome)
            scores.append(outcome)
        return scores


def named(name: str, error: InvalidInput | ScoringFailed) -> InvalidInput | ScoringFailed:
    """Returns the error with what it is about in front."""
    if isinstance(error, InvalidInput):
        violations = [FieldViolation(f"{name}: {v.field}", v.description) for v in error.violations]
        return InvalidInput(error.kind, violations)
    return ScoringFailed(f"{name}: {error}")


@contextmanager
def running_engine(
    spec: EngineSettings, drain_seconds: float, progress: Callable[[str], None]
) -> Iterator[ScoringEngine]:
    """Loads the model, gives a started engine and closes it.

    Args:
        drain_seconds: how long closing waits for pairs under way.
        progress: told one line before each long step.

    Raises:
        ModelUnavailable: the base model cannot be loaded.
        AdapterIncompatible: the adapter does not fit it.
    """
    engine = build_engine(spec, progress=progress)
    engine.start()
    try:
        yield engine
    finally:
        engine.close(drain_seconds)


async def score_pairs(
    engine: ScoringEngine,
    requests: Sequence[PairRequest],
    on_outcome: Callable[[int, Outcome], None] = lambda index, outcome: None,
) -> OfflineRun:
    """Scores all requests, many at a time; a pair that cannot be scored takes no other with it.

    Args:
        engine: a started engine.
        on_outcome: told the index of each request and what came of it, as it comes.

    Raises:
        EngineClosed: the model failed for good.
    """
    room = asyncio.Semaphore(_MAX_IN_FLIGHT)

    async def score(index: int, request: PairRequest) -> Outcome:
        outcome: Outcome
        async with room:
            try:
                outcome = await engine.score(request)
            except (InvalidInput, ScoringFailed) as error:
                outcome = error
        on_outcome(index, outcome)
        return outcome

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(score(index, request)) for index, request in enumerate(requests)]
    return OfflineRun(requests, [task.result() for task in tasks])
