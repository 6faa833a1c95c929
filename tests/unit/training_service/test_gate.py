"""What passes the gate: nothing that gets worse beyond its tolerance, nothing that is no number."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from services.contracts.errors import AdapterIncompatible
from services.contracts.training_run import AdapterFigures, Comparison
from services.training_service.runs.gate import TOLERANCES, figures_of_candidate, judge, read_comparison

FIGURES = {
    "adapter_digest": "a",
    "mean_absolute_error": 10.0,
    "spearman": 0.8,
    "expected_calibration_error": 5.0,
    "negative_log_likelihood": 3.5,
    "name_change": 0.4,
    "injection_rise": 1.0,
}
# Just within, and just beyond, what each figure may lose.
CHANGES = {
    "mean_absolute_error": (0.49, 0.51),
    "spearman": (-0.019, -0.021),
    "expected_calibration_error": (0.99, 1.01),
    "negative_log_likelihood": (0.049, 0.051),
    "name_change": (0.49, 0.51),
    "injection_rise": (1.99, 2.01),
}


def comparison(candidate: dict[str, Any], active: dict[str, Any] | None = None) -> Comparison:
    figures = [AdapterFigures(**FIGURES | changes) for changes in (active or {}, candidate)]
    return Comparison(30, 0, *figures)


def test_every_figure_has_its_case_here() -> None:
    assert {tolerance.figure for tolerance in TOLERANCES} == set(CHANGES)


@pytest.mark.parametrize("figure", CHANGES)
def test_a_figure_may_get_a_little_worse_and_no_more(figure: str) -> None:
    within, beyond = (comparison({figure: FIGURES[figure] + change}) for change in CHANGES[figure])

    assert judge(within).is_passed
    refused = judge(beyond)
    assert not refused.is_passed
    assert [figure in reason for reason in refused.reasons] == [True]


def test_a_better_candidate_passes_by_any_margin() -> None:
    better = {"mean_absolute_error": 1, "spearman": 1.0, "expected_calibration_error": 0.0}
    assert judge(comparison(better | {"negative_log_likelihood": 0.1})).is_passed


@pytest.mark.parametrize("figure", CHANGES)
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("side", ["active", "candidate"])
def test_what_is_no_finite_number_never_passes(figure: str, value: object, side: str) -> None:
    given = {"candidate": {}, side: {figure: value}}
    assert not judge(comparison(**given)).is_passed


def test_a_comparison_of_no_pair_never_passes() -> None:
    assert judge(comparison({})).is_passed
    assert not judge(dataclasses.replace(comparison({}), num_pairs=0)).is_passed


def test_the_candidates_figures_go_with_the_published_adapter() -> None:
    figures = figures_of_candidate(comparison({"spearman": 0.9}))
    assert figures["spearman"] == 0.9
    assert figures["num_held_out_pairs"] == 30


def damaged(**changes: Any) -> str:
    content = json.loads(json.dumps(dataclasses.asdict(comparison({}))))
    for name, value in changes.items():
        content["candidate"][name] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "{",
        "[]",
        '"text"',
        '{"num_pairs": 30}',
        damaged(mean_absolute_error="10"),
        damaged(mean_absolute_error=True),
        damaged(mean_absolute_error=None),
        damaged(mean_error=1.0),
    ],
)
def test_a_missing_or_damaged_comparison_is_refused(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "comparison.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(AdapterIncompatible):
        read_comparison(path)


@pytest.mark.parametrize("spearman", [0.8, None, math.inf])
def test_a_comparison_is_read_as_it_was_written(spearman: float | None, tmp_path: Path) -> None:
    path = tmp_path / "comparison.json"
    comparison({"spearman": spearman}).write(path)
    assert read_comparison(path) == comparison({"spearman": spearman})
