"""What the benchmark says must be what callers feel."""

import asyncio

import pytest

from services.contracts.scoring import PairRequest
from services.devkit.engine_benchmark import as_new_jobs, pairs_per_second, waits_alone, waits_under_load

REQUESTS = [PairRequest(str(number), f"job {number % 3}", "resume") for number in range(30)]
SERVICE_SECONDS = 0.02


class OneAtATime:
    """Takes 20 ms a pair, one after the other, as a model thread does."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self.jobs: list[str] = []

    async def score(self, request: PairRequest) -> None:
        self.jobs.append(request.job_description)
        async with self._lock:
            await asyncio.sleep(SERVICE_SECONDS)


async def test_a_burst_is_as_fast_as_the_engine() -> None:
    speed = await pairs_per_second(OneAtATime(), REQUESTS)  # type: ignore[arg-type]
    assert 10 < speed <= 1 / SERVICE_SECONDS


async def test_callers_of_an_overloaded_engine_wait_from_when_they_came() -> None:
    """Ten times too many: the last waits for nearly all others, which a closed loop would not show."""
    alone = await waits_alone(OneAtATime(), REQUESTS[:5])  # type: ignore[arg-type]
    loaded = await waits_under_load(OneAtATime(), REQUESTS, rate=10 / SERVICE_SECONDS)  # type: ignore[arg-type]

    assert alone.median >= SERVICE_SECONDS
    assert loaded.percentile_99 > 0.6 * len(REQUESTS) * SERVICE_SECONDS
    assert loaded.percentile_99 > 5 * alone.median


@pytest.mark.parametrize(("num_slow", "is_slow"), [(1, False), (2, True)])
async def test_one_of_a_hundred_callers_is_beyond_the_99th_percentile(num_slow: int, is_slow: bool) -> None:
    class SlowForSome:
        async def score(self, request: PairRequest) -> None:
            await asyncio.sleep(0.2 if int(request.request_id) < num_slow else 0)

    requests = [PairRequest(str(number), "job", "resume") for number in range(100)]
    waits = await waits_alone(SlowForSome(), requests)  # type: ignore[arg-type]

    assert (waits.percentile_99 >= 0.2) is is_slow


def test_a_mark_makes_every_job_new() -> None:
    marked = as_new_jobs(REQUESTS, "x")
    assert not {r.job_description for r in marked} & {r.job_description for r in REQUESTS}
    assert len({r.job_description for r in marked}) == 3
