import pytest

from services.contracts.scoring import NUM_SCORES, ScoreDistribution
from training.dataset import LabelledPair, Pair
from training.evaluation import evaluate


def label(score: float, category: str) -> LabelledPair:
    return LabelledPair(Pair(1, "resume", "job", {}), score, category)


def certain(score: int) -> ScoreDistribution:
    return ScoreDistribution(tuple(float(at == score) for at in range(NUM_SCORES)))


LABELS = [label(90, "excellent"), label(70, "good"), label(50, "fair"), label(20, "poor")]


def test_figures_of_four_pairs_are_those_counted_by_hand() -> None:
    figures = evaluate(LABELS, [certain(80), certain(90), certain(50), certain(30)])

    assert (figures.num_pairs, figures.mae, figures.bias) == (4, 10.0, 5.0)
    assert figures.rmse == pytest.approx((600 / 4) ** 0.5)
    assert figures.spearman == pytest.approx(0.8)
    assert figures.roc_auc == 1.0
    assert figures.category_accuracy == 0.5
    assert figures.confusion == ((0, 1, 0, 0), (1, 0, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))
    assert figures.interval_coverage == 0.25


def test_good_below_poor_is_an_area_of_zero() -> None:
    figures = evaluate(LABELS, [certain(10), certain(10), certain(50), certain(90)])

    assert figures.roc_auc == 0.0
    assert figures.spearman is not None
    assert figures.spearman < 0


def test_what_a_set_does_not_determine_is_none() -> None:
    figures = evaluate(LABELS[:1] * 2, [certain(80), certain(80)])

    assert (figures.pearson, figures.spearman, figures.roc_auc) == (None, None, None)
