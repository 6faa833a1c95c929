"""Rates and ratios against figures worked out by hand."""

import numpy as np
import pytest

from training.audit.adverse_impact import UNKNOWN, equal_opportunity_difference, impact_table


def _table(groups: list[str], scores: list[float], threshold: float = 50.0):
    return impact_table("sex", groups, np.array(scores), np.arange(len(scores)), threshold)


def test_rates_and_ratios_of_two_groups() -> None:
    table = _table(["f"] * 4 + ["m"] * 5, [60, 60, 40, 40, 60, 60, 60, 60, 40])

    female, male = table.rows
    assert (female.num_people, female.rate, male.rate) == (4, 0.5, 0.8)
    assert female.impact_ratio.value == pytest.approx(0.625)
    assert male.impact_ratio.value == 1.0
    assert table.lowest_ratio == pytest.approx(0.625)
    assert female.impact_ratio.low <= 0.625 <= female.impact_ratio.high


def test_a_score_at_the_threshold_is_not_above_it() -> None:
    assert _table(["f", "m"], [50, 51]).rows[0].rate == 0.0


def test_unknowns_are_counted_and_left_out() -> None:
    table = _table(["f", "m", UNKNOWN, UNKNOWN], [60, 60, 0, 0])
    assert table.num_unknown == 2
    assert [row.rate for row in table.rows] == [1.0, 1.0]


def test_a_group_below_two_percent_has_no_ratio() -> None:
    table = _table(["f"] * 50 + ["m"] * 50 + ["x"], [60.0] * 100 + [0.0])
    assert {row.group: row.impact_ratio is None for row in table.rows} == {"f": False, "m": False, "x": True}
    assert table.lowest_ratio == 1.0


def test_nobody_selected_gives_no_ratio() -> None:
    assert _table(["f", "m"], [10, 10]).lowest_ratio is None


def test_equal_opportunity_is_the_gap_among_the_good() -> None:
    labels = np.array([90, 90, 90, 90, 10, 10])
    scores = np.array([80, 80, 80, 20, 80, 20])
    groups = ["f", "f", "m", "m", "f", "m"]
    assert equal_opportunity_difference(labels, scores, groups, 65) == pytest.approx(0.5)
    assert equal_opportunity_difference(labels - 80, scores, groups, 65) is None
    assert equal_opportunity_difference(labels, scores, ["f"] * 6, 65) is None
