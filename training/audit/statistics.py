"""Figures with intervals; the bootstrap resamples resumes: variants of one are no independent draws."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NUM_RESAMPLES = 1000
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its bootstrap interval.

    Attributes:
        value: of the whole sample.
        low: lower bound of the central 95 %.
        high: upper bound.
    """

    value: float
    low: float
    high: float


def bootstrap(
    num_units: int,
    figure: Callable[[NDArray[np.int64]], float],
    seed: int = 0,
    resamples: int = _NUM_RESAMPLES,
) -> Interval:
    """Returns a figure with its percentile-bootstrap interval (Efron and Tibshirani 1993, chapter 13).

    Args:
        num_units: how many independent units there are; 1 or more.
        figure: of the units at these indices, shape ``(num_units,)``; NaN where it is not defined.
    """
    rng = np.random.default_rng(seed)
    drawn = [figure(rng.integers(0, num_units, num_units)) for _ in range(resamples)]
    defined = [value for value in drawn if not np.isnan(value)]
    value = figure(np.arange(num_units))
    if not defined:
        return Interval(value, float("nan"), float("nan"))
    tail = 50 * (1 - _LEVEL)
    low, high = np.percentile(defined, [tail, 100 - tail])
    return Interval(value, float(low), float(high))


@dataclass(frozen=True, slots=True)
class ChangeFigures:
    """How far scores of one resume lie apart under changes that should not matter.

    Attributes:
        num_resumes: how many resumes were changed.
        num_variants: how many changed texts were scored.
        mean_absolute_change: points.
        percentile_95: of the absolute change, points.
        greatest: of the absolute change, points.
        category_changes: share of variants in another category than the resume's reference.
    """

    num_resumes: int
    num_variants: int
    mean_absolute_change: Interval
    percentile_95: Interval
    greatest: float
    category_changes: Interval


def change_figures(
    changes: list[NDArray[np.float64]], category_changed: list[NDArray[np.bool_]]
) -> ChangeFigures:
    """Returns the figures of changes, given one array a resume.

    Args:
        changes: score minus the resume's reference score, points; one array of any length a resume.
        category_changed: of the same shapes.
    """
    absolute = [np.abs(of_resume) for of_resume in changes]
    flags = [of_resume.astype(np.float64) for of_resume in category_changed]

    def of(values: list[NDArray[np.float64]], reduce: Callable[[NDArray[np.float64]], float]) -> Interval:
        return bootstrap(len(values), lambda at: float(reduce(np.concatenate([values[i] for i in at]))))

    everything = np.concatenate(absolute)
    return ChangeFigures(
        num_resumes=len(changes),
        num_variants=len(everything),
        mean_absolute_change=of(absolute, lambda values: float(values.mean())),
        percentile_95=of(absolute, lambda values: float(np.percentile(values, 95))),
        greatest=float(everything.max()),
        category_changes=of(flags, lambda values: float(values.mean())),
    )
