"""Scores many pairs in this process, without Kafka or gRPC."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.scoring import PairRequest, PairScore
from services.scoring.engine import ScoringEngine
from services.scoring.engine_factory import build_engine
from services.service_kit.engine_settings import engine_spec
from services.service_kit.settings import Settings

# Enough to fill batches of one job; far below the queue's bound.
_MAX_IN_FLIGHT = 256


@dataclass(frozen=True, slots=True)
class OfflineRun:
    """What a run gave.

    Attributes:
        scores: in the order of the requests.
        seconds: from the first pair to the last, without loading the model.
    """

    scores: list[PairScore]
    seconds: float


def open_engine(settings: Settings, progress: Callable[[str], None]) -> ScoringEngine:
    """Loads the model and starts the engine; the caller closes it.

    Raises:
        ModelUnavailable: the base model cannot be loaded.
        AdapterIncompatible: the adapter does not fit it.
    """
    engine = build_engine(engine_spec(settings), progress=progress)
    engine.start()
    return engine


@contextmanager
def running_engine(settings: Settings, progress: Callable[[str], None]) -> Iterator[ScoringEngine]:
    """Gives an engine of ``open_engine`` and closes it."""
    engine = open_engine(settings, progress)
    try:
        yield engine
    finally:
        engine.close(settings.drain_seconds)


async def score_pairs(
    engine: ScoringEngine, requests: Iterable[PairRequest], on_scored: Callable[[PairScore], None]
) -> OfflineRun:
    """Scores all requests, many at a time.

    Args:
        engine: a started engine.
        requests: what to score; errors name them by their id.
        on_scored: told each score as it arrives.

    Raises:
        InvalidInput: a text is empty or a job too long; the rest is given up.
    """
    room = asyncio.Semaphore(_MAX_IN_FLIGHT)

    async def score(request: PairRequest) -> PairScore:
        async with room:
            try:
                result = await engine.score(request)
            except InvalidInput as error:
                raise InvalidInput(
                    error.kind,
                    [
                        FieldViolation(f"{request.request_id}: {v.field}", v.description)
                        for v in error.violations
                    ],
                ) from error
        on_scored(result)
        return result

    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(score(request)) for request in requests]
    return OfflineRun([task.result() for task in tasks], time.monotonic() - started)
