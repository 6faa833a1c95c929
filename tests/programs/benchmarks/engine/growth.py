"""Whether ten thousand applications go as fast, and in as much memory, as a hundred.

``python -m tests.programs.benchmarks.engine.growth ROUNDS`` measures in a process of its own, with the tiny
random model, and prints JSON: beside other benchmarks' models, resident memory would say nothing.
"""

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.contracts.scoring import PairRequest
from services.process.settings import load_settings
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring.model.loading.base_model import load_base_model
from tests.doubles import texts
from tests.programs.benchmarks.report.figures import Figure, Outcome, over_rounds
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import running, score_in_order
from tests.programs.resident_memory import resident_bytes

SIZES = (100, 1_000, 10_000)
WARM_UP = 2_000
SLICE = 1_000  # texts are made for so many at a time, outside of the measured time
RESUMES_PER_JOB = 20
NUM_IN_FLIGHT = 256  # as `resume-scorer predict` does
# Of the tiny model's states about eighty, so that five hundred jobs must push each other out.
CACHE_BYTES = 4 * 1024**2
LEAST_KEPT = 0.9
MOST_GROWTH_PERCENT = 2


@dataclass(frozen=True, slots=True)
class Run:
    """One size, measured once.

    Attributes:
        pairs_per_second: over all of it, texts not counted.
        resident_bytes: after each slice.
        cache_bytes: the most that the prefix cache held after a slice.
    """

    pairs_per_second: float
    resident_bytes: list[int]
    cache_bytes: int


async def growth(setup: Setup) -> Outcome:
    """Runs 100, 1,000 and 10,000 applications in turn, in a fresh process."""
    ran = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tests.programs.benchmarks.engine.growth", str(setup.num_rounds)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return outcome(json.loads(ran.stdout))


def outcome(found: dict[str, Any]) -> Outcome:
    """Turns what the process printed into figures."""
    speeds = {int(size): values for size, values in found["pairs_per_second"].items()}
    kept = [many / few for many, few in zip(speeds[SIZES[-1]], speeds[SIZES[0]], strict=True)]
    memory = [100 * (run[-1] / run[0] - 1) for run in found["resident_bytes"]]
    share = 100 * found["cache_bytes"] / CACHE_BYTES
    return Outcome(
        (
            *(over_rounds(f"{size:,} applications", speeds[size], "pairs/s") for size in SIZES),
            over_rounds("10,000 / 100 applications", kept, "x", at_least=LEAST_KEPT),
            over_rounds(
                "resident memory from 1,000 to 10,000 applications", memory, "%", at_most=MOST_GROWTH_PERCENT
            ),
            Figure("prefix cache of its bound", share, share, share, "%", at_most=100),
        ),
        "2,000 applications before, as a warm-up",
        {**found, "cache_bound_bytes": CACHE_BYTES},
    )


async def measure(num_rounds: int) -> dict[str, Any]:
    """Returns pairs per second by size, resident memory of each run of 10,000, and the cache's bytes."""
    settings = load_settings(base_model="random:tiny-gemma-3", adapter="none")
    spec = settings.having(prefix_cache_bytes=CACHE_BYTES)
    speeds: dict[str, list[float]] = {str(size): [] for size in SIZES}
    resident, cache_bytes = [], 0
    with running(load_base_model(spec), spec) as engine:
        await _run(engine, WARM_UP, "warm-up")
        for number in range(num_rounds):
            for size in SIZES:
                # Few applications are over in a moment: the median of ten such runs is one value.
                repetitions = [
                    await _run(engine, size, f"{number}-{size}-{at}")
                    for at in range(10 if size < SLICE else 1)
                ]
                speeds[str(size)].append(statistics.median(run.pairs_per_second for run in repetitions))
                cache_bytes = max(cache_bytes, *(run.cache_bytes for run in repetitions))
                if size == SIZES[-1]:
                    resident.append(repetitions[0].resident_bytes)
    return {"pairs_per_second": speeds, "resident_bytes": resident, "cache_bytes": cache_bytes}


async def _run(engine: ScoringEngine, num_applications: int, tag: str) -> Run:
    seconds, resident, cache_bytes = 0.0, [], 0
    for requests in _slices(num_applications, tag):
        started = time.perf_counter()
        await score_in_order(engine, requests, NUM_IN_FLIGHT)
        seconds += time.perf_counter() - started
        cache_bytes = max(cache_bytes, engine._scorer._cache.num_bytes)
        del requests
        gc.collect()
        resident.append(resident_bytes())
    return Run(num_applications / seconds, resident, cache_bytes)


def _slices(num_applications: int, tag: str) -> Iterator[list[PairRequest]]:
    """Yields requests in order of their jobs, each with twenty; no job comes twice, and hardly a resume."""
    seed = zlib.crc32(tag.encode())
    for start in range(0, num_applications, SLICE):
        num_pairs = min(SLICE, num_applications - start)
        jobs = texts.jobs(num_pairs // RESUMES_PER_JOB)
        resumes = texts.resumes(num_pairs, seed=seed + start)
        yield [
            PairRequest(
                f"{tag}-{start + number}",
                f"{tag} {start} {jobs[number // RESUMES_PER_JOB].description}",
                resume,
            )
            for number, resume in enumerate(resumes)
        ]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1])))))
