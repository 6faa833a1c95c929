"""Applications of many jobs that arrive mixed, against the same ones job by job.

With 32 in flight, as from a busy API: were all of them in the queue at once, their order would not count.
"""

from services.contracts.scoring import PairRequest
from services.devkit.engine_benchmark import TokenCounter
from tests.programs.benchmarks.report.figures import Outcome, over_rounds
from tests.programs.benchmarks.rig.rounds import compare
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import running, score_in_order

NUM_IN_FLIGHT = 32
LEAST_KEPT = 0.95  # of the speed job by job: what a repetition of the same way differs by


async def interleaving(setup: Setup) -> Outcome:
    """Compares both orders of the same pairs, and their hits in the prefix cache."""
    counter = TokenCounter()
    hits: dict[str, list[float]] = {"by job": [], "mixed": []}
    with running(setup.base(), setup.engine_spec(), counter) as engine:

        async def score(name: str, requests: list[PairRequest]) -> int:
            counter.reset()
            num_pairs = await score_in_order(engine, requests, NUM_IN_FLIGHT)
            hits[name].append(100 * counter.num_hits / counter.num_lookups)
            return num_pairs

        ways = {
            "by job": lambda: score("by job", by_job(setup.fresh_work())),
            "mixed": lambda: score("mixed", setup.fresh_work()),
        }
        found = await compare("by job", ways, setup.num_rounds)
    best = 100 * (1 - 1 / setup.size.num_resumes)
    shares = [over_rounds(f"prefix hits, {name}", shares[1:], "%") for name, shares in hits.items()]
    return Outcome(
        (*found.figures({"mixed": LEAST_KEPT}), *shares), f"{best:.1f} % of look-ups can be hits at most"
    )


def by_job(requests: list[PairRequest]) -> list[PairRequest]:
    """Returns the requests with those of one job one after the other."""
    return sorted(requests, key=lambda request: request.job_description)
