import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.scoring import PairRequest, ScoreDistribution, category_of


@pytest.mark.parametrize(
    ("score", "category"),
    [
        (100, "excellent"),
        (85, "excellent"),
        (84.99, "good"),
        (65, "good"),
        (45, "fair"),
        (44.9, "poor"),
        (0, "poor"),
    ],
)
def test_categories_begin_at_their_floors(score: float, category: str) -> None:
    assert category_of(score) == category


@given(st.lists(st.floats(0, 1), min_size=101, max_size=101).filter(lambda weights: sum(weights) > 0.1))
def test_figures_of_a_distribution_agree_with_numpy(weights: list[float]) -> None:
    probabilities = np.array(weights) / sum(weights)
    distribution = ScoreDistribution(tuple(probabilities.tolist()))
    scores = np.arange(101)

    assert distribution.mean == pytest.approx(float(probabilities @ scores))
    variance = float(probabilities @ (scores - distribution.mean) ** 2)
    assert distribution.standard_deviation == pytest.approx(variance**0.5)
    for percent in (10, 50, 90):
        at = distribution.percentile(percent)
        assert probabilities[: at + 1].sum() >= percent / 100 - 1e-9
        assert probabilities[:at].sum() < percent / 100 + 1e-9
    assert distribution.median == distribution.percentile(50)


def test_a_request_does_not_print_its_texts() -> None:
    request = PairRequest("1", "secret job", "secret resume")

    assert "secret" not in repr(request)
