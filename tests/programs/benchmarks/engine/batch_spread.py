"""How far a pair's score moves with the company that it is computed in."""

from typing import Literal

from tests.programs.benchmarks.report.figures import Figure, Outcome
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import running, score_all, work

NUM_PAIRS = 48
_Layout = Literal["padded", "sequential"]


async def batch_spread(setup: Setup) -> Outcome:
    """Compares scores in small and large batches with those of each pair alone, in points."""
    requests = work(setup.size, "spread")[:NUM_PAIRS]

    async def scores(layout: _Layout, budget: int) -> list[float]:
        spec = setup.engine_spec(batch_layout=layout, batch_token_budget=budget)
        with running(setup.base(), spec) as engine:
            return [result.score for result in await score_all(engine, requests)]

    alone = await scores("sequential", 0)
    differences = [
        abs(mine - theirs)
        for budget in (1024, 8192)
        for mine, theirs in zip(alone, await scores("padded", budget), strict=True)
    ]
    largest, mean = max(differences), sum(differences) / len(differences)
    return Outcome(
        (
            Figure("mean difference", mean, min(differences), largest, "points"),
            Figure("largest difference", largest, largest, largest, "points"),
        )
    )
