"""4-bit weights against bfloat16 ones, on the same device."""

from collections.abc import Awaitable, Callable

from services.scoring.engine.scoring_engine import ScoringEngine
from tests.programs.benchmarks.report.figures import Outcome
from tests.programs.benchmarks.rig.rounds import compare
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import running, score_all

LEAST_ON_A_CARD = 0.95


async def quantization(setup: Setup) -> Outcome:
    """Compares NF4 with bfloat16, both with the adapter as it is served, or without where none is set."""
    with (
        running(setup.base("none"), setup.engine_spec()) as plain,
        running(setup.base("nf4"), setup.engine_spec()) as small,
    ):

        def way(engine: ScoringEngine) -> Callable[[], Awaitable[int]]:
            async def score() -> int:
                return len(await score_all(engine, setup.fresh_work()))

            return score

        found = await compare("bf16", {"bf16": way(plain), "nf4": way(small)}, setup.num_rounds)
        is_card = plain._scorer.model.device.type == "cuda"
    return Outcome(found.figures({"nf4": LEAST_ON_A_CARD if is_card else None}), setup.note)
