"""How long callers wait at 70 % of the measured capacity, over one pair alone."""

from services.cli.engine_benchmark import as_new_jobs, pairs_per_second, waits_alone, waits_under_load
from tests.benchmarks.figures import Outcome, over_rounds
from tests.benchmarks.setup import Setup
from tests.benchmarks.work import running

NUM_ALONE, NUM_LOADED = 12, 100
LOAD_SHARE = 0.7
MOST_TIMES_ALONE = 4


async def waits(setup: Setup) -> Outcome:
    """Measures capacity, one caller alone, and callers that come at random and wait for nobody."""
    ratios, alone_seconds, loaded_seconds = [], [], []
    with running(setup.base(), setup.engine_spec()) as engine:
        for number in range(setup.num_rounds):
            requests = setup.fresh_work()
            capacity = await pairs_per_second(engine, requests)
            alone = await waits_alone(engine, as_new_jobs(requests[:NUM_ALONE], "alone"))
            loaded = await waits_under_load(
                engine, as_new_jobs(requests * 2, "load")[:NUM_LOADED], LOAD_SHARE * capacity, seed=number
            )
            alone_seconds.append(alone.median)
            loaded_seconds.append(loaded.percentile_99)
            ratios.append(loaded.percentile_99 / alone.median)
    return Outcome(
        (
            over_rounds("one pair alone, median", alone_seconds, "s"),
            over_rounds("99th percentile at 70 % load", loaded_seconds, "s"),
            over_rounds("99th percentile / alone", ratios, "x", at_most=MOST_TIMES_ALONE),
        )
    )
