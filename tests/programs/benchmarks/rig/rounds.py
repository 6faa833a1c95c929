"""Pairs per second of ways to do the same work, in one process, in alternating rounds."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tests.programs.benchmarks.report.figures import Figure, over_rounds

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

    def speed(self, name: str) -> Figure:
        """Returns the pairs per second of a way."""
        return over_rounds(name, self.pairs_per_second[name], "pairs/s")

    def ratio(self, name: str, at_least: float | None = None) -> Figure:
        """Returns the way's speed over the baseline's, with the mark that it should reach."""
        return over_rounds(f"{name} / {self.baseline}", self.ratios(name), "x", at_least=at_least)

    def figures(self, marks: Mapping[str, float | None]) -> tuple[Figure, ...]:
        """Returns every way's speed, then the ratios of those that ``marks`` names."""
        speeds = [self.speed(name) for name in self.pairs_per_second]
        return (*speeds, *(self.ratio(name, mark) for name, mark in marks.items()))


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
