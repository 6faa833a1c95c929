"""Draws the cost model beside what was measured:

python -m tests.programs.benchmarks.cost.cost_plot --output docs/pictures/performance.png

The lines are ``cost_model.pairs_per_second`` with the two constants that the benchmark ``cost`` fitted to
the points of the left picture; those of the right one were not used for it.
"""

import argparse
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

from tests.programs.benchmarks.cost.cost_model import Cost, Pair, pairs_per_second
from tests.programs.benchmarks.report.results_file import RESULTS_FILE, load

DEFAULT_BUDGETS = {"cpu": 2048, "cuda": 20_000}  # those of services/scoring/engine/factory.py


def draw(entry: dict[str, Any], variant: str, output: Path) -> None:
    """Draws one result of the benchmark ``cost``.

    Args:
        entry: as the results file holds it.
        variant: model and device, for the title.
        output: the picture.
    """
    details = entry["details"]
    pair, cost = Pair(**details["pair"]), Cost(**details["cost"])
    default = DEFAULT_BUDGETS[variant.rpartition(", ")[2]]
    figure, (by_share, by_budget) = pyplot.subplots(1, 2, figsize=(10, 3.8), sharey=True)

    shares = details["resumes_per_job"]
    _points(by_share, [point["resumes_per_job"] for point in shares], shares)
    many = [1.1**step for step in range(42)]
    by_share.plot(many, [pairs_per_second(cost, pair, n, default) for n in many], label="cost model")
    by_share.set_xlabel("resumes scored while the job's prefix is in the cache")
    by_share.set_ylabel("pairs/s")
    by_share.set_title(f"batches of {default:,} tokens", fontsize=9)

    budgets = details["budgets"]
    _points(by_budget, [point["batch_tokens"] for point in budgets], budgets)
    lowest, highest = budgets[0]["batch_tokens"], budgets[-1]["batch_tokens"]
    many = [lowest * (highest / lowest) ** (step / 200) for step in range(201)]
    by_budget.plot(many, [pairs_per_second(cost, pair, 16, budget) for budget in many], label="cost model")
    by_budget.set_xlabel("batch budget, tokens")
    by_budget.set_title("16 resumes a job", fontsize=9)

    for axis in (by_share, by_budget):
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:,.0f}")
        axis.set_ylim(bottom=0)
        axis.legend(fontsize=8)
    figure.suptitle(
        f"{variant}: {1000 * cost.seconds_per_token:.2f} ms a token, {1000 * cost.seconds_per_pass:.0f} ms a "
        f"pass; prefix {pair.prefix:.0f}, suffix {pair.suffix:.0f} tokens",
        fontsize=10,
    )
    figure.tight_layout()
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=90)
    pyplot.close(figure)


def _points(axis: Any, at: list[float], points: list[dict[str, Any]]) -> None:
    speeds = [point["pairs_per_second"] for point in points]
    middle = [median(values) for values in speeds]
    below = [m - min(values) for m, values in zip(middle, speeds, strict=True)]
    above = [max(values) - m for m, values in zip(middle, speeds, strict=True)]
    axis.errorbar(at, middle, yerr=(below, above), fmt="o", capsize=3, label="measured, median and range")


def main() -> None:
    parser = argparse.ArgumentParser(description="Draws the cost model beside what was measured.")
    parser.add_argument("--variant", help="model and device as in the results file; default: the first")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    measured = load(RESULTS_FILE).get("cost", {})
    variant = options.variant or next(iter(measured), None)
    if variant not in measured:
        parser.error("run `python -m tests.programs.benchmarks --only cost` first")
    draw(measured[variant], variant, options.output)


if __name__ == "__main__":
    main()
