"""Whether scores and their distributions can be taken at their word: calibration, coverage, likelihood."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binned_statistic

from services.contracts.scoring import MAX_SCORE, ScoreDistribution

NUM_BINS = 10
# One impossible label must not make the mean infinite: a pair costs at most 20.7 nats (uniform: 4.6).
LEAST_PROBABILITY = 1e-9


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """The pairs whose predicted score lies in one range.

    Attributes:
        lowest: where the range begins, in points.
        highest: where it ends, in points; excluded except at 100.
        mean_predicted: mean of their scores, in points.
        mean_label: mean of their labels, in points.
        count: how many there are; never 0.
    """

    lowest: float
    highest: float
    mean_predicted: float
    mean_label: float
    count: int


def calibration_bins(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> tuple[CalibrationBin, ...]:
    """Compares expected with observed in ten equal ranges of the predicted score.

    This is the reliability diagram of classification with points in place of probabilities; for regression
    see Kuleshov, Fenner and Ermon, "Accurate Uncertainties for Deep Learning Using Calibrated Regression"
    (2018), whose coverage of intervals is ``interval_coverage`` here.

    Args:
        labels: judged scores, in points; at least one.
        scores: predicted scores, in points, in the same order.

    Returns:
        The ranges that hold a pair, lowest first.
    """
    # A distribution that sums to 1 + 1e-7 has a mean above 100; it belongs to the last range all the same.
    scores = np.clip(scores, 0, MAX_SCORE)
    scale = (0, MAX_SCORE)
    means, edges, places = binned_statistic(scores, [scores, labels], "mean", NUM_BINS, scale)
    counts = np.bincount(places - 1, minlength=NUM_BINS)
    return tuple(
        CalibrationBin(
            float(edges[at]), float(edges[at + 1]), float(means[0][at]), float(means[1][at]), int(counts[at])
        )
        for at in np.flatnonzero(counts)
    )


def expected_calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """Returns the mean distance of mean label and mean score over the ranges, weighted by count, in points.

    The measure of Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning" (2015), in points instead of probabilities.

    Args:
        bins: at least one.
    """
    gaps = [abs(found.mean_predicted - found.mean_label) for found in bins]
    return float(np.average(gaps, weights=[found.count for found in bins]))


def interval_coverage(
    labels: Sequence[float], distributions: Sequence[ScoreDistribution], level_percent: float
) -> float:
    """Returns the share of labels, 0 to 1, within the central interval of their distribution.

    Scores are whole points and both ends belong to the interval, so that a calibrated model covers a little
    more than the level says.

    Args:
        labels: judged scores, in points; at least one.
        distributions: one for each label, in the same order.
        level_percent: probability of the interval, 0 to 100; 80 is the interval from 10 to 90 %.
    """
    tail = (100 - level_percent) / 2
    within = [
        distribution.percentile(tail) <= label <= distribution.percentile(100 - tail)
        for label, distribution in zip(labels, distributions, strict=True)
    ]
    return float(np.mean(within))


def negative_log_likelihood(labels: Sequence[float], distributions: Sequence[ScoreDistribution]) -> float:
    """Returns the mean negative logarithm of the probability of the label, in nats; lower is better.

    The logarithmic score of Good, "Rational Decisions" (1952): it rewards a distribution that is both narrow
    and right. A probability below ``LEAST_PROBABILITY`` counts as that. Labels between two points count as
    the nearer one.

    Args:
        labels: judged scores, in points; at least one.
        distributions: one for each label, in the same order.
    """
    probabilities = [
        distribution.probabilities[round(label)]
        for label, distribution in zip(labels, distributions, strict=True)
    ]
    return float(-np.log(np.maximum(probabilities, LEAST_PROBABILITY)).mean())
