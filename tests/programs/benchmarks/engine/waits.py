"""How long callers wait at 70 % of the measured capacity, over one pair alone."""

from services.devkit.engine_benchmark import Waits, pairs_per_second, waits_alone, waits_under_load
from services.scoring.engine.scoring_engine import ScoringEngine
from tests.programs.benchmarks.engine.interleaving import by_job
from tests.programs.benchmarks.report.figures import Outcome, over_rounds
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import WorkSize, fresh_work, running

NUM_ALONE, NUM_LOADED = 12, 150
RESUMES_PER_JOB = 20
LOAD_SHARE, LOWER_LOAD_SHARE = 0.7, 0.3
MOST_TIMES_ALONE = 4


async def waits(setup: Setup) -> Outcome:
    """Measures capacity, one caller alone, and callers that come at random and wait for nobody.

    Alone is measured twice: with the job's part in the cache, which the mark goes by, and with a new job each
    time. Under load one pair in twenty brings a new job.
    """
    known, new, loaded, less_loaded = [], [], [], []
    with running(setup.base(), setup.engine_spec()) as engine:
        for number in range(setup.num_rounds):
            capacity = await pairs_per_second(engine, setup.fresh_work())
            same_job = fresh_work(WorkSize(1, NUM_ALONE + 1))
            await engine.score(same_job[0])
            known.append((await waits_alone(engine, same_job[1:])).median)
            new.append((await waits_alone(engine, fresh_work(WorkSize(NUM_ALONE, 1)))).median)
            loaded.append((await _at(engine, LOAD_SHARE * capacity, number)).percentile_99)
            less_loaded.append((await _at(engine, LOWER_LOAD_SHARE * capacity, number)).percentile_99)
    return Outcome(
        (
            over_rounds("one pair alone, job known", known, "s"),
            over_rounds("one pair alone, new job", new, "s"),
            over_rounds("99th percentile at 70 % load", loaded, "s"),
            over_rounds(
                "99th percentile at 70 % load / alone, job known",
                _ratios(loaded, known),
                "x",
                at_most=MOST_TIMES_ALONE,
            ),
            over_rounds("99th percentile at 70 % load / alone, new job", _ratios(loaded, new), "x"),
            over_rounds("99th percentile at 30 % load / alone, job known", _ratios(less_loaded, known), "x"),
        ),
        f"{NUM_LOADED} callers at each load",
    )


async def _at(engine: ScoringEngine, rate: float, seed: int) -> Waits:
    requests = fresh_work(WorkSize(-(-NUM_LOADED // RESUMES_PER_JOB), RESUMES_PER_JOB))[:NUM_LOADED]
    # Interleaved jobs would all be new at the start, and none later.
    return await waits_under_load(engine, by_job(requests), rate, seed)


def _ratios(times: list[float], alone: list[float]) -> list[float]:
    return [time / base for time, base in zip(times, alone, strict=True)]
