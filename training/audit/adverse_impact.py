"""Scoring rates and impact ratios of groups, as New York City's Local Law 144 defines them (6 RCNY 5-300).

Scoring rate: the share of a group whose score lies above the median of the whole sample. Impact ratio: that
rate over the rate of the group with the highest one. The four-fifths rule (29 CFR 1607.4 D) does the same
with a selection threshold in place of the median.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np
from fairlearn.metrics import MetricFrame, count, selection_rate, true_positive_rate
from numpy.typing import NDArray

from training.audit.statistics import Interval, bootstrap

UNKNOWN = "unknown"
#: Groups with a smaller share of the sample may be left out of the ratios (6 RCNY 5-301 d).
SMALLEST_SHARE = 0.02
FOUR_FIFTHS = 0.8


@dataclass(frozen=True, slots=True)
class GroupRate:
    """One group's row in the table.

    Attributes:
        group: its name.
        num_people: how many scores it has.
        rate: share of them selected.
        impact_ratio: rate over the highest rate, or None where the group is too small to count.
    """

    group: str
    num_people: int
    rate: float
    impact_ratio: Interval | None


@dataclass(frozen=True, slots=True)
class ImpactTable:
    """Rates of all groups of one kind.

    Attributes:
        kind: "sex", "race_ethnicity" or "intersection".
        threshold: the score that a selected person lies above, points.
        rows: by group, in the order of their names.
        num_unknown: people whose group is not known; left out of all rates.
    """

    kind: str
    threshold: float
    rows: tuple[GroupRate, ...]
    num_unknown: int

    @property
    def lowest_ratio(self) -> float | None:
        """Returns the lowest impact ratio, or None where no two groups count."""
        ratios = [row.impact_ratio.value for row in self.rows if row.impact_ratio is not None]
        # Where nobody at all is selected there is no highest rate to compare with.
        return min(ratios) if len(ratios) > 1 and not isnan(max(ratios)) else None


def impact_table(
    kind: str, groups: Sequence[str], scores: NDArray[np.float64], units: NDArray[np.int64], threshold: float
) -> ImpactTable:
    """Returns the rates and ratios of one kind of groups.

    Args:
        kind: of the groups, for the table's title.
        groups: each score's group, or ``UNKNOWN``.
        scores: points, shape ``(n,)``.
        units: each score's resume, shape ``(n,)``: what the bootstrap resamples.
        threshold: who lies above it is selected, points; the sample's median for Local Law 144.
    """
    names = np.asarray(groups)
    known = names != UNKNOWN
    selected = (scores > threshold).astype(np.int64)
    if not known.any():
        return ImpactTable(kind, threshold, (), len(names))
    frame = MetricFrame(
        metrics={"rate": selection_rate, "count": count},
        y_true=selected[known],
        y_pred=selected[known],
        sensitive_features=names[known],
    )
    rates = frame.by_group["rate"].to_dict()
    counts = frame.by_group["count"].to_dict()
    counted = [group for group in rates if counts[group] / known.sum() >= SMALLEST_SHARE]
    ratios = _ratios(counted, names, selected, units)
    rows = tuple(GroupRate(str(g), int(counts[g]), float(rates[g]), ratios.get(g)) for g in sorted(rates))
    return ImpactTable(kind, threshold, rows, int((~known).sum()))


def _ratios(
    counted: Sequence[str], names: NDArray[np.str_], selected: NDArray[np.int64], units: NDArray[np.int64]
) -> dict[str, Interval]:
    distinct = np.unique(units)
    # Sums by unit and group, so that a resample is one product instead of a pass over all scores.
    place = np.searchsorted(distinct, units)
    hits = np.zeros((len(distinct), len(counted)))
    sizes = np.zeros_like(hits)
    for column, group in enumerate(counted):
        of_group = names == group
        np.add.at(hits[:, column], place[of_group], selected[of_group])
        np.add.at(sizes[:, column], place[of_group], 1)

    def ratio_of(column: int, at: NDArray[np.int64]) -> float:
        size = sizes[at].sum(0)
        rates = np.divide(hits[at].sum(0), size, out=np.full(len(counted), np.nan), where=size > 0)
        highest = np.nanmax(rates) if not np.isnan(rates).all() else np.nan
        return float(rates[column] / highest) if highest > 0 else float("nan")

    return {
        group: bootstrap(len(distinct), lambda at, column=column: ratio_of(column, at))  # type: ignore[misc]
        for column, group in enumerate(counted)
    }


def equal_opportunity_difference(
    labels: NDArray[np.float64], scores: NDArray[np.float64], groups: Sequence[str], threshold: float
) -> float | None:
    """Returns the greatest difference between groups in the share of good candidates who are selected.

    Args:
        labels: people's scores, points.
        scores: the model's, points.
        groups: each pair's group.
        threshold: from which score on a candidate is good, and is selected.

    Returns:
        0 to 1 (Hardt, Price and Srebro 2016), or None where no label reaches the threshold.
    """
    good = labels >= threshold
    if not good.any() or len(set(groups)) < 2:
        return None
    frame = MetricFrame(
        metrics=true_positive_rate,
        y_true=good.astype(np.int64),
        y_pred=(scores >= threshold).astype(np.int64),
        sensitive_features=np.asarray(groups),
    )
    return float(frame.difference())
