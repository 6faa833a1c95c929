"""Histograms of an adapter's training pairs and their distance from others."""

import json
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.reference import (
    NUM_BINS,
    PROMPT_TOKEN_EDGES,
    SCORE_EDGES,
    ReferenceFigures,
    bin_of,
    population_stability_index,
    reference_from_json,
)

FIGURES = ReferenceFigures(tuple(range(10)), tuple(reversed(range(10))))
histograms = st.lists(st.integers(0, 500), min_size=NUM_BINS, max_size=NUM_BINS)


@pytest.mark.parametrize(
    ("value", "edges", "expected"),
    [
        (0, SCORE_EDGES, 0),
        (9.99, SCORE_EDGES, 0),
        (10, SCORE_EDGES, 1),
        (100.0000001, SCORE_EDGES, 9),
        (255, PROMPT_TOKEN_EDGES, 0),
        (2047, PROMPT_TOKEN_EDGES, 8),
        (2048, PROMPT_TOKEN_EDGES, 9),
        (100_000, PROMPT_TOKEN_EDGES, 9),
    ],
)
def test_a_value_falls_into_the_bin_above_its_edge(
    value: float, edges: tuple[float, ...], expected: int
) -> None:
    assert bin_of(value, edges) == expected


def test_both_figures_have_the_same_number_of_bins() -> None:
    assert len(SCORE_EDGES) + 1 == len(PROMPT_TOKEN_EDGES) + 1 == NUM_BINS


def test_the_index_is_the_sum_over_smoothed_shares() -> None:
    expected = [(9.5 / 13, 3.5 / 13), (3.5 / 13, 9.5 / 13)]

    index = population_stability_index([9, 3], [3, 9])

    assert index == pytest.approx(sum((o - e) * log(o / e) for e, o in expected))


def test_siddiqis_scale_tells_a_shift_from_none() -> None:
    reference = [20] * NUM_BINS
    shifted = [0] * 5 + [40] * 5

    assert population_stability_index(reference, [100] * NUM_BINS) == pytest.approx(0)
    assert population_stability_index(reference, shifted) > 0.25


@given(histograms, histograms)
def test_the_index_is_finite_symmetric_and_never_negative(one: list[int], other: list[int]) -> None:
    index = population_stability_index(one, other)

    assert 0 <= index < 1000
    assert index == pytest.approx(population_stability_index(other, one))


def test_a_reference_survives_its_way_through_json() -> None:
    assert reference_from_json(json.loads(json.dumps(FIGURES.to_json()))) == FIGURES


@pytest.mark.parametrize(
    "change",
    [
        {"score": [1] * 9},
        {"score": [-1] + [1] * 9},
        {"score": [0] * 10},
        {"prompt_tokens": "0123456789"},
        {"prompt_tokens": [1.5] * 10},
        {"score_edges": [50]},
        {"prompt_token_edges": None},
    ],
)
def test_what_cannot_be_compared_is_no_reference(change: dict[str, object]) -> None:
    assert reference_from_json(FIGURES.to_json() | change) is None
    assert reference_from_json(None) is None
    assert reference_from_json([1]) is None
