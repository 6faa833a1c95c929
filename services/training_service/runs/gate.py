"""Whether a new adapter may replace the active one: pure."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.contracts.errors import AdapterIncompatible
from services.contracts.training_run import AdapterFigures, Comparison


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much worse one figure may get.

    Attributes:
        figure: its name.
        value: reads it; None where it is not known.
        worst_change: greatest change for the worse that passes; in the figure's unit.
        is_better_lower: whether less is better.
    """

    figure: str
    value: Callable[[AdapterFigures], float | None]
    worst_change: float
    is_better_lower: bool = True


TOLERANCES = (
    # Points. Half a point is what compute types move a mean score by, and a thirtieth of a category's width.
    Tolerance("mean_absolute_error", lambda figures: figures.mean_absolute_error, 0.5),
    # A rank correlation of 0.8 on 100 pairs has a standard error of about 0.04: half of that is noise.
    Tolerance("spearman", lambda figures: figures.spearman, 0.02, is_better_lower=False),
    # Points. The error is taken in ten bins of few pairs each, so it wavers more than the MAE.
    Tolerance("expected_calibration_error", lambda figures: figures.expected_calibration_error, 1.0),
    # Nats. A twentieth costs a label 5 % of its probability.
    Tolerance("negative_log_likelihood", lambda figures: figures.negative_log_likelihood, 0.05),
    # Points, both over a few resumes (training/comparison.py): the audit has the exact figures.
    Tolerance("name_change", lambda figures: figures.name_change, 0.5),
    Tolerance("injection_rise", lambda figures: figures.injection_rise, 2.0),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says.

    Attributes:
        is_passed: whether the candidate may be published.
        reasons: what speaks against it, one sentence a figure; empty if it passed.
    """

    is_passed: bool
    reasons: tuple[str, ...]


def judge(comparison: Comparison) -> Verdict:
    """Judges a candidate by its comparison with the active adapter; what is no finite number never passes."""
    reasons = [] if comparison.num_pairs > 0 else ["the held-out set is empty"]
    for tolerance in TOLERANCES:
        reason = _objection(
            tolerance, tolerance.value(comparison.active), tolerance.value(comparison.candidate)
        )
        if reason:
            reasons.append(reason)
    return Verdict(not reasons, tuple(reasons))


def read_comparison(path: Path) -> Comparison:
    """Reads the comparison that a training run wrote.

    Raises:
        AdapterIncompatible: there is none or it is damaged, so nothing proves the adapter.
    """
    try:
        return Comparison.read(path)
    except (OSError, ValueError) as error:
        raise AdapterIncompatible(f"{path.name} is missing or damaged") from error


def figures_of_candidate(comparison: Comparison) -> dict[str, float]:
    """Returns the figures that are stored with a published adapter."""
    figures = {tolerance.figure: tolerance.value(comparison.candidate) for tolerance in TOLERANCES}
    known = {name: value for name, value in figures.items() if value is not None}
    return known | {"num_held_out_pairs": float(comparison.num_pairs)}


def _objection(tolerance: Tolerance, active: float | None, candidate: float | None) -> str:
    if active is None or candidate is None or not (math.isfinite(active) and math.isfinite(candidate)):
        return f"{tolerance.figure} is missing or no finite number"
    change = candidate - active
    worsening = change if tolerance.is_better_lower else -change
    if worsening <= tolerance.worst_change:
        return ""
    return (
        f"{tolerance.figure} went from {active:.3f} to {candidate:.3f}; "
        f"at most {tolerance.worst_change} for the worse passes"
    )
