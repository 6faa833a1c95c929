"""How much of what is computed on resumes of very different lengths is padding."""

from services.contracts.scoring import PairRequest
from services.devkit.engine_benchmark import TokenCounter
from tests.doubles import texts
from tests.programs.benchmarks.report.figures import Outcome, over_rounds
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import running, score_all

NUM_PAIRS, NUM_JOBS = 96, 8
MOST_PADDING_PERCENT = 10


async def padding(setup: Setup) -> Outcome:
    """Counts tokens of resumes of 100 to 1,500 tokens, read whole; another seed each round."""
    counter = TokenCounter()
    shares = []
    spec = setup.engine_spec(max_resume_tokens=0)
    with running(setup.base(), spec, counter) as engine:
        for seed in range(setup.num_rounds):
            counter.reset()
            await score_all(engine, _mixed(seed))
            shares.append(100 * counter.num_padding_tokens / counter.num_tokens)
    return Outcome((over_rounds("padding of computed tokens", shares, "%", at_most=MOST_PADDING_PERCENT),))


def _mixed(seed: int) -> list[PairRequest]:
    jobs = texts.jobs(NUM_JOBS)
    resumes = texts.mixed_length_resumes(NUM_PAIRS, seed)
    return [
        PairRequest(str(number), jobs[number % NUM_JOBS].description, resume)
        for number, resume in enumerate(resumes)
    ]
