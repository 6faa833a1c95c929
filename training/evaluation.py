"""Figures of a model's scores against people's labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from sklearn.metrics import confusion_matrix, roc_auc_score

from services.contracts.scoring import CATEGORY_FLOORS, ScoreDistribution, category_of
from training.dataset import LabelledPair

CATEGORIES = tuple(name for name, _ in CATEGORY_FLOORS)
_FLOORS = dict(CATEGORY_FLOORS)


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
    within = [
        prediction.percentile(10) <= label.score <= prediction.percentile(90)
        for label, prediction in zip(labels, predictions, strict=True)
    ]
    return Evaluation(
        num_pairs=len(labels),
        mae=float(np.abs(errors).mean()),
        rmse=float(np.sqrt((errors**2).mean())),
        bias=float(errors.mean()),
        pearson=_correlation(stats.pearsonr, wanted, scores),
        spearman=_correlation(stats.spearmanr, wanted, scores),
        roc_auc=roc_auc(wanted, scores),
        category_accuracy=float(np.mean([a == b for a, b in zip(label_categories, categories, strict=True)])),
        confusion=tuple(
            map(tuple, confusion_matrix(label_categories, categories, labels=list(CATEGORIES)).tolist())
        ),
        interval_coverage=float(np.mean(within)),
    )


def roc_auc(labels: "np.ndarray[tuple[int], np.dtype[np.float64]]", scores: np.ndarray) -> float | None:
    """Returns the area under the ROC curve of good or better against poor, or None without both.

    Args:
        labels: judged scores, in points.
        scores: predicted scores, in points.
    """
    is_good, is_poor = labels >= _FLOORS["good"], labels < _FLOORS["fair"]
    if not is_good.any() or not is_poor.any():
        return None
    decided = is_good | is_poor
    return float(roc_auc_score(is_good[decided], scores[decided]))


def _correlation(statistic: object, labels: np.ndarray, scores: np.ndarray) -> float | None:
    if len(labels) < 2 or np.ptp(labels) == 0 or np.ptp(scores) == 0:
        return None
    return float(statistic(labels, scores).statistic)  # type: ignore[operator]
