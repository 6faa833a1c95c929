import pytest

from tests.programs.benchmarks.report.figures import Figure, over_rounds
from tests.programs.benchmarks.rig.rounds import Comparison, compare


def figure(median: float, at_least: float | None = None, at_most: float | None = None) -> Figure:
    return Figure("speed", median, median, median, "x", at_least, at_most)


def test_the_median_and_the_range_are_those_of_the_rounds() -> None:
    found = over_rounds("speed", [3.0, 1.0, 2.0], "pairs/s", at_least=2)

    assert (found.lowest, found.median, found.highest) == (1.0, 2.0, 3.0)
    assert found.is_met


@pytest.mark.parametrize(
    ("found", "is_met"),
    [
        (figure(1), None),
        (figure(2, at_least=2), True),
        (figure(1.9, at_least=2), False),
        (figure(4, at_most=4), True),
        (figure(4.1, at_most=4), False),
        (figure(0.0, at_most=0.0), True),
        (figure(5, at_least=2, at_most=4), False),
    ],
)
def test_a_mark_is_met_from_its_side(found: Figure, is_met: bool | None) -> None:
    assert found.is_met is is_met


def test_ratios_compare_ways_of_the_same_round() -> None:
    comparison = Comparison("slow", {"slow": [1.0, 2.0, 4.0], "fast": [3.0, 6.0, 8.0]})

    *speeds, ratio = comparison.figures({"fast": 2.5})

    assert [speed.median for speed in speeds] == [2.0, 6.0]
    assert (ratio.what, ratio.lowest, ratio.median, ratio.highest) == ("fast / slow", 2.0, 3.0, 3.0)
    assert ratio.is_met


async def test_ways_alternate_and_the_first_round_does_not_count() -> None:
    called = []

    async def way(name: str) -> int:
        called.append(name)
        return 1

    found = await compare("a", {"a": lambda: way("a"), "b": lambda: way("b")}, 2)

    assert called == ["a", "b"] * 3
    assert [len(speeds) for speeds in found.pairs_per_second.values()] == [2, 2]
