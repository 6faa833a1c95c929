import math

import pytest

from services.contracts.scoring import NUM_SCORES, ScoreDistribution
from training.figures.calibration import CalibrationBin
from training.figures.evaluation import evaluate
from training.pairs.dataset import LabelledPair, Pair


def label(score: float, category: str, job: str = "job") -> LabelledPair:
    return LabelledPair(Pair(1, "resume", job, {}), score, category)


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
    assert (figures.within_job_auc, figures.num_jobs_within) == (None, 0)


def test_within_jobs_only_jobs_with_both_kinds_count_and_each_counts_alike() -> None:
    sorted_job = [label(90, "excellent", "a"), label(20, "poor", "a")]
    mixed_job = [label(70, "good", "b"), label(20, "poor", "b"), label(30, "poor", "b")]
    good_only = [label(80, "good", "c"), label(60, "fair", "c")]
    scores = [60, 50, 40, 30, 45, 1, 99]

    figures = evaluate([*sorted_job, *mixed_job, *good_only], [certain(score) for score in scores])

    assert (figures.within_job_auc, figures.num_jobs_within) == (pytest.approx((1 + 1 / 2) / 2), 2)


def test_a_model_that_knows_only_which_jobs_are_easy_tells_nobody_apart_within_them() -> None:
    easy = [label(90, "excellent", "a"), label(80, "good", "a"), label(20, "poor", "a")]
    hard = [label(70, "good", "b"), label(20, "poor", "b"), label(10, "poor", "b")]

    figures = evaluate([*easy, *hard], [certain(90)] * 3 + [certain(10)] * 3)

    assert figures.roc_auc == pytest.approx(2 / 3)
    assert figures.within_job_auc == 0.5


def test_calibration_and_likelihood_are_those_of_the_same_pairs() -> None:
    half = ScoreDistribution(tuple(0.5 * (at in (40, 60)) for at in range(NUM_SCORES)))

    figures = evaluate([label(60, "fair"), label(20, "poor")], [half, certain(20)])

    assert figures.calibration == (CalibrationBin(20, 30, 20, 20, 1), CalibrationBin(50, 60, 50, 60, 1))
    assert figures.expected_calibration_error == 5.0
    assert figures.negative_log_likelihood == pytest.approx(math.log(2) / 2)
