"""Whether a new adapter may replace the active one: pure."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from services.contracts.errors import AdapterIncompatible


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much worse one figure may get.

    Attributes:
        figure: its name in the comparison.
        worst_change: greatest change for the worse that passes; in the figure's unit.
        is_better_lower: whether less is better.
    """

    figure: str
    worst_change: float
    is_better_lower: bool = True


TOLERANCES = (
    # Points. Half a point is what compute types move a mean score by, and a thirtieth of a category's width.
    Tolerance("mean_absolute_error", 0.5),
    # A rank correlation of 0.8 on 100 pairs has a standard error of about 0.04: half of that is noise.
    Tolerance("spearman", 0.02, is_better_lower=False),
    # Points. The error is taken in ten bins of few pairs each, so it wavers more than the MAE.
    Tolerance("expected_calibration_error", 1.0),
    # Nats. A twentieth costs a label 5 % of its probability.
    Tolerance("negative_log_likelihood", 0.05),
    # Points, both over a few resumes (training/comparison.py): the audit has the exact figures.
    Tolerance("name_change", 0.5),
    Tolerance("injection_rise", 2.0),
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


def judge(comparison: Mapping[str, Any]) -> Verdict:
    """Judges a candidate by its comparison with the active adapter; what is no finite number never passes.

    Args:
        comparison: ``{"num_pairs", "active": figures, "candidate": figures}``, as a training run writes it.
    """
    reasons = [] if _num_pairs(comparison) > 0 else ["the held-out set is empty"]
    active, candidate = (_figures(comparison, name) for name in ("active", "candidate"))
    for tolerance in TOLERANCES:
        reason = _objection(tolerance, active.get(tolerance.figure), candidate.get(tolerance.figure))
        if reason:
            reasons.append(reason)
    return Verdict(not reasons, tuple(reasons))


def read_comparison(path: Path) -> dict[str, Any]:
    """Reads the comparison that a training run wrote.

    Raises:
        AdapterIncompatible: there is none or it is damaged, so nothing proves the adapter.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise AdapterIncompatible(f"{path.name} is missing or damaged") from error
    if not isinstance(content, dict):
        raise AdapterIncompatible(f"{path.name} is damaged")
    return content


def figures_of_candidate(comparison: Mapping[str, Any]) -> dict[str, float]:
    """Returns the figures that are stored with a published adapter."""
    candidate = _figures(comparison, "candidate")
    return {tolerance.figure: float(candidate[tolerance.figure]) for tolerance in TOLERANCES} | {
        "num_held_out_pairs": float(_num_pairs(comparison))
    }


def candidate_digest(comparison: Mapping[str, Any]) -> str:
    """Returns which adapter was compared; empty where the comparison does not say."""
    return str(_figures(comparison, "candidate").get("adapter_digest", ""))


def _objection(tolerance: Tolerance, active: object, candidate: object) -> str:
    if not _is_number(active) or not _is_number(candidate):
        return f"{tolerance.figure} is missing or no finite number"
    change = float(candidate) - float(active)
    worsening = change if tolerance.is_better_lower else -change
    if worsening <= tolerance.worst_change:
        return ""
    return (
        f"{tolerance.figure} went from {active:.3f} to {candidate:.3f}; "
        f"at most {tolerance.worst_change} for the worse passes"
    )


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _figures(comparison: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    figures = comparison.get(name)
    return figures if isinstance(figures, dict) else {}


def _num_pairs(comparison: Mapping[str, Any]) -> int:
    count = comparison.get("num_pairs")
    return count if isinstance(count, int) and not isinstance(count, bool) else 0
