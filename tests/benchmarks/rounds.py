"""Pairs per second of ways to do the same work, in one process, in alternating rounds."""

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

Way = Callable[[], Awaitable[int]]


@dataclass(frozen=True)
class Comparison:
    """How fast each way is, beside the baseline.

    Attributes:
        baseline: name of the way that the others are compared with.
        pairs_per_second: of each way, one figure a round.
    """

    baseline: str
    pairs_per_second: Mapping[str, list[float]]

    def ratios(self, name: str) -> list[float]:
        """Returns the way's speed over the baseline's, round by round."""
        against = self.pairs_per_second[self.baseline]
        return [mine / theirs for mine, theirs in zip(self.pairs_per_second[name], against, strict=True)]

    def figures(self) -> dict[str, dict[str, float]]:
        """Returns the median and the range of every way and of its ratio to the baseline."""
        return {
            name: {
                "pairs_per_second": statistics.median(speeds),
                "ratio": statistics.median(self.ratios(name)),
                "lowest_ratio": min(self.ratios(name)),
                "highest_ratio": max(self.ratios(name)),
            }
            for name, speeds in self.pairs_per_second.items()
        }


async def compare(baseline: str, ways: Mapping[str, Way], num_rounds: int) -> Comparison:
    """Runs every way once unmeasured, then all of them in turn, round after round.

    Args:
        baseline: name of one of the ways.
        ways: each does all of its work when called and returns the number of pairs.
        num_rounds: measured rounds.
    """
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(1 + num_rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            num_pairs = await way()
            if number:
                speeds[name].append(num_pairs / (time.perf_counter() - started))
    return Comparison(baseline, speeds)
