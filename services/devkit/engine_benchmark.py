"""Measures an engine as its callers would feel it: pairs a second, and waiting times under a steady load."""

import asyncio
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from services.contracts.engine import PairScorer
from services.contracts.engine_observer import SilentObserver
from services.contracts.scoring import PairRequest


@dataclass(frozen=True, slots=True)
class Waits:
    """How long callers waited.

    Attributes:
        median: seconds.
        percentile_99: seconds, by nearest rank; of fewer than a hundred calls, the longest.
    """

    median: float
    percentile_99: float


class TokenCounter(SilentObserver):
    """Adds up what the engine computed."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets what was counted."""
        self.num_tokens = self.num_padding_tokens = self.num_hits = self.num_lookups = 0

    def on_batch(self, num_pairs: int, num_tokens: int, num_padding_tokens: int) -> None:
        """Adds one batch."""
        self.num_tokens += num_tokens
        self.num_padding_tokens += num_padding_tokens

    def on_prefix(self, is_hit: bool) -> None:
        """Adds one look-up."""
        self.num_lookups += 1
        self.num_hits += is_hit


async def pairs_per_second(engine: PairScorer, requests: Sequence[PairRequest]) -> float:
    """Returns the speed of a burst: all requests at once."""
    started = time.perf_counter()
    await asyncio.gather(*map(engine.score, requests))
    return len(requests) / (time.perf_counter() - started)


async def waits_alone(engine: PairScorer, requests: Sequence[PairRequest]) -> Waits:
    """Returns the waits of one caller that asks again as soon as it has its answer."""
    waits = []
    for request in requests:
        started = time.perf_counter()
        await engine.score(request)
        waits.append(time.perf_counter() - started)
    return _summary(waits)


async def waits_under_load(
    engine: PairScorer, requests: Sequence[PairRequest], rate: float, seed: int = 0
) -> Waits:
    """Returns the waits of callers that come at random and do not wait for one another (open loop).

    A closed loop would hide queueing: its callers slow down with the server ("coordinated omission", Tene
    2013).

    Args:
        engine: started.
        rate: callers a second on average; the gaps are exponential, so arrivals form a Poisson process.
    """
    rng = Random(seed)  # noqa: S311 - arrivals, not secrets
    due, waits = 0.0, []
    started = time.perf_counter()

    async def call(request: PairRequest, at: float) -> None:
        await asyncio.sleep(max(0.0, started + at - time.perf_counter()))
        # From when the caller came, not from when this machine got round to it.
        await engine.score(request)
        waits.append(time.perf_counter() - started - at)

    calls = []
    for request in requests:
        due += rng.expovariate(rate)
        calls.append(call(request, due))
    await asyncio.gather(*calls)
    return _summary(waits)


def as_new_jobs(requests: Sequence[PairRequest], tag: str) -> list[PairRequest]:
    """Returns the requests with a mark before each job, so that no prefix is in the cache yet."""
    return [replace(r, job_description=f"{tag} {r.job_description}") for r in requests]


def _summary(waits: Sequence[float]) -> Waits:
    ordered = sorted(waits)
    return Waits(statistics.median(ordered), ordered[math.ceil(0.99 * len(ordered)) - 1])
