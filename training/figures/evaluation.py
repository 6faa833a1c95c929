"""Figures of a model's scores against people's labels."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import confusion_matrix, roc_auc_score

from services.contracts.scoring import CATEGORY_FLOORS, ScoreDistribution, category_of
from training.figures.calibration import (
    CalibrationBin,
    calibration_bins,
    expected_calibration_error,
    interval_coverage,
    negative_log_likelihood,
)
from training.pairs.dataset import LabelledPair

CATEGORIES = tuple(name for name, _ in CATEGORY_FLOORS)
_FLOORS = dict(CATEGORY_FLOORS)
# The interval from the 10th to the 90th percentile.
_INTERVAL_PERCENT = 80


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures over one set of labelled pairs; None where the set does not determine one.

    Attributes:
        num_pairs: size of the set.
        mae: mean absolute error, in points.
        rmse: root of the mean squared error, in points.
        bias: mean of score minus label, in points.
        pearson: linear correlation.
        spearman: rank correlation.
        roc_auc: area under the ROC curve of labels good or better against labels poor.
        category_accuracy: share of pairs whose category is the label's.
        confusion: counts, rows are labels and columns predictions, in the order of ``CATEGORIES``.
        interval_coverage: share of labels within the 10-90 % interval of the distribution.
        within_job_auc: mean of ``roc_auc`` within each job that has labels of both kinds, each job alike.
        num_jobs_within: jobs that count in ``within_job_auc``.
        calibration: expected against observed, by range of the predicted score.
        expected_calibration_error: distance between the two, weighted by count, in points.
        negative_log_likelihood: of the labels under their distributions, mean, in nats.
    """

    num_pairs: int
    mae: float
    rmse: float
    bias: float
    pearson: float | None
    spearman: float | None
    roc_auc: float | None
    category_accuracy: float
    confusion: tuple[tuple[int, ...], ...]
    interval_coverage: float
    within_job_auc: float | None
    num_jobs_within: int
    calibration: tuple[CalibrationBin, ...]
    expected_calibration_error: float
    negative_log_likelihood: float


def evaluate(labels: Sequence[LabelledPair], predictions: Sequence[ScoreDistribution]) -> Evaluation:
    """Compares predictions with labels.

    Args:
        labels: at least one.
        predictions: one for each label, in the same order.
    """
    wanted = np.array([label.score for label in labels])
    scores = np.array([prediction.mean for prediction in predictions])
    errors = scores - wanted
    label_categories = [label.category for label in labels]
    categories = [category_of(score) for score in scores]
    job_auc, num_jobs = within_job_auc(labels, scores)
    bins = calibration_bins(wanted, scores)
    return Evaluation(
        num_pairs=len(labels),
        mae=float(np.abs(errors).mean()),
        rmse=float(np.sqrt((errors**2).mean())),
        bias=float(errors.mean()),
        pearson=_correlation(stats.pearsonr, wanted, scores),
        spearman=rank_correlation(wanted, scores),
        roc_auc=roc_auc(wanted, scores),
        category_accuracy=float(np.mean([a == b for a, b in zip(label_categories, categories, strict=True)])),
        confusion=tuple(
            map(tuple, confusion_matrix(label_categories, categories, labels=list(CATEGORIES)).tolist())
        ),
        interval_coverage=interval_coverage(wanted.tolist(), predictions, _INTERVAL_PERCENT),
        within_job_auc=job_auc,
        num_jobs_within=num_jobs,
        calibration=bins,
        expected_calibration_error=expected_calibration_error(bins),
        negative_log_likelihood=negative_log_likelihood(wanted.tolist(), predictions),
    )


def decided_pairs(labels: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Returns which labels are good or better, and which take part in a ROC curve: those, and the poor ones.

    Args:
        labels: judged scores, in points.
    """
    is_good = labels >= _FLOORS["good"]
    return is_good, is_good | (labels < _FLOORS["fair"])


def roc_auc(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> float | None:
    """Returns the area under the ROC curve of good or better against poor, or None without both.

    Args:
        labels: judged scores, in points.
        scores: predicted scores, in any unit.
    """
    is_good, is_decided = decided_pairs(labels)
    if not is_good.any() or (is_good == is_decided).all():
        return None
    return float(roc_auc_score(is_good[is_decided], scores[is_decided]))


def within_job_auc(labels: Sequence[LabelledPair], scores: NDArray[np.float64]) -> tuple[float | None, int]:
    """Averages ``roc_auc`` over jobs: how well resumes of one job are told apart, whatever jobs are easy.

    Pairs belong to one job where their job texts are equal.

    Args:
        labels: at least one.
        scores: predicted scores, in any unit, in the same order.

    Returns:
        The mean, None where no job has labels of both kinds, and the number of jobs that have.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, label in enumerate(labels):
        places[label.pair.job_description].append(place)
    wanted = np.array([label.score for label in labels])
    areas = [roc_auc(wanted[of_job], scores[of_job]) for of_job in places.values()]
    counted = [area for area in areas if area is not None]
    return (float(np.mean(counted)) if counted else None), len(counted)


def rank_correlation(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> float | None:
    """Returns Spearman's rank correlation, or None where labels or scores are all alike.

    Args:
        labels: judged scores, in points.
        scores: predicted scores, in any unit.
    """
    return _correlation(stats.spearmanr, labels, scores)


def _correlation(
    statistic: Callable[..., Any], labels: NDArray[np.float64], scores: NDArray[np.float64]
) -> float | None:
    if len(labels) < 2 or np.ptp(labels) == 0 or np.ptp(scores) == 0:
        return None
    return float(statistic(labels, scores).statistic)
