"""What it gives to compute a job's part once for all of its resumes."""

from services.scoring.model.score_model import TreeRow
from tests.programs.benchmarks.report.figures import Outcome
from tests.programs.benchmarks.rig.rounds import compare
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import running, score_all

LEAST_GAIN = 1.7
NUM_ROWS = 3  # whole prompts that fill the same batch budget on a CPU


async def prefix_cache(setup: Setup) -> Outcome:
    """Compares pairs whose job part is shared with the same pairs computed whole, in the model alone."""
    with running(setup.base(), setup.engine_spec()) as engine:

        async def whole() -> int:
            requests = setup.fresh_work()
            prompts = [engine._reader.read(r.job_description, r.resume).prompt for r in requests]
            for start in range(0, len(prompts), NUM_ROWS):
                rows = [TreeRow(None, p.prefix + p.suffix) for p in prompts[start : start + NUM_ROWS]]
                engine._scorer.model.score_tree_logits(rows)
            return len(requests)

        async def shared() -> int:
            return len(await score_all(engine, setup.fresh_work()))

        ways = {"computed whole": whole, "shared prefix": shared}
        found = await compare("computed whole", ways, setup.num_rounds)
    return Outcome(found.figures({"shared prefix": LEAST_GAIN}))
