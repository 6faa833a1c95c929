import math

import numpy as np
import pytest

from services.contracts.scoring import NUM_SCORES, ScoreDistribution
from training.figures.calibration import (
    LEAST_PROBABILITY,
    CalibrationBin,
    calibration_bins,
    expected_calibration_error,
    interval_coverage,
    negative_log_likelihood,
)

UNIFORM = ScoreDistribution((1 / NUM_SCORES,) * NUM_SCORES)


def distribution(**probabilities: float) -> ScoreDistribution:
    """Takes ``p70=0.5`` for a probability of a half at 70 points."""
    at = {int(name[1:]): probability for name, probability in probabilities.items()}
    return ScoreDistribution(tuple(at.get(score, 0.0) for score in range(NUM_SCORES)))


def test_ranges_hold_the_means_of_their_pairs_and_empty_ones_are_left_out() -> None:
    bins = calibration_bins(np.array([10.0, 30.0, 90.0]), np.array([12.0, 18.0, 75.0]))

    assert bins == (CalibrationBin(10, 20, 15, 20, 2), CalibrationBin(70, 80, 75, 90, 1))


def test_a_score_on_an_edge_opens_its_range_and_100_closes_the_last() -> None:
    bins = calibration_bins(np.array([0.0, 50.0, 100.0, 100.0]), np.array([0.0, 90.0, 100.0, 100.0000001]))

    assert [(found.lowest, found.highest, found.count) for found in bins] == [(0, 10, 1), (90, 100, 3)]


def test_the_calibration_error_weighs_each_range_by_its_pairs() -> None:
    bins = calibration_bins(np.array([10.0, 30.0, 90.0]), np.array([12.0, 18.0, 75.0]))

    assert expected_calibration_error(bins) == pytest.approx((2 * 5 + 1 * 15) / 3)


def test_errors_that_cancel_within_a_range_are_no_calibration_error() -> None:
    bins = calibration_bins(np.array([0.0, 30.0]), np.array([15.0, 15.0]))

    assert expected_calibration_error(bins) == 0.0


def test_an_interval_covers_the_labels_between_its_ends_and_on_them() -> None:
    labels = [10.0, 20.0, 50.0, 79.0, 91.0]

    assert interval_coverage(labels, [UNIFORM] * 5, 60) == pytest.approx(3 / 5)  # 20 to 80
    assert interval_coverage(labels, [UNIFORM] * 5, 80) == pytest.approx(4 / 5)  # 10 to 90


def test_the_likelihood_is_that_of_each_label_under_its_own_distribution() -> None:
    distributions = [distribution(p70=0.5, p20=0.5), distribution(p30=1.0)]

    assert negative_log_likelihood([70.0, 30.0], distributions) == pytest.approx(math.log(2) / 2)
    assert negative_log_likelihood([70.0, 30.0], [UNIFORM] * 2) == pytest.approx(math.log(NUM_SCORES))


def test_a_label_between_two_points_counts_as_the_nearer_one() -> None:
    assert negative_log_likelihood([69.6], [distribution(p70=1.0)]) == 0.0
    assert negative_log_likelihood([100.0], [distribution(p100=1.0)]) == 0.0


def test_an_impossible_label_costs_much_but_not_everything() -> None:
    assert negative_log_likelihood([10.0], [distribution(p70=1.0)]) == pytest.approx(
        -math.log(LEAST_PROBABILITY)
    )
