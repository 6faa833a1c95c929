"""Drift: the window, the reference, and when there is nothing to tell."""

import math

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from services.contracts.reference import ReferenceFigures, population_stability_index
from services.process.metrics.drift import MIN_DRIFT_SCORES, DriftMonitor
from services.process.metrics.scoring import ScoringMetrics
from services.process.settings import Settings

# All scores lie from 80 to 90, all prompts from 512 to 640 tokens.
REFERENCE = ReferenceFigures((0,) * 8 + (200, 0), (0,) * 3 + (200,) + (0,) * 6)


def test_nothing_is_told_below_the_least_number_of_scores() -> None:
    monitor = DriftMonitor(1000)
    monitor.start_over(REFERENCE)
    for _ in range(MIN_DRIFT_SCORES - 1):
        monitor.observe(85.0, 600)
    assert math.isnan(monitor.index("score"))

    monitor.observe(85.0, 600)

    assert monitor.index("score") == pytest.approx(0, abs=0.02)
    assert monitor.index("prompt_tokens") == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("reference", [None, ReferenceFigures((99,) + (0,) * 9, (99,) + (0,) * 9)])
def test_nothing_is_told_without_enough_training_pairs(reference: ReferenceFigures | None) -> None:
    monitor = DriftMonitor(1000)
    monitor.start_over(reference)
    for _ in range(MIN_DRIFT_SCORES):
        monitor.observe(85.0, 600)

    assert math.isnan(monitor.index("score"))


def test_each_figure_is_compared_with_its_own_reference() -> None:
    monitor = DriftMonitor(1000)
    monitor.start_over(REFERENCE)
    for _ in range(MIN_DRIFT_SCORES):
        monitor.observe(85.0, 2048)

    assert monitor.index("score") == pytest.approx(0, abs=0.02)
    lengths = population_stability_index(REFERENCE.prompt_tokens, [0] * 9 + [MIN_DRIFT_SCORES])
    assert monitor.index("prompt_tokens") == pytest.approx(lengths)
    assert lengths > 0.25


def test_scores_that_left_the_window_no_longer_count() -> None:
    monitor = DriftMonitor(300)
    monitor.start_over(REFERENCE)
    for _ in range(300):
        monitor.observe(5.0, 100)
    assert monitor.index("score") > 0.25

    for _ in range(300):
        monitor.observe(85.0, 600)

    assert monitor.index("score") == pytest.approx(0, abs=0.02)


def test_the_gauges_follow_a_change_of_adapter() -> None:
    metrics = ScoringMetrics(CollectorRegistry(), drift_window_scores=400)

    def shown(figure: str) -> float:
        name = "scoring_drift_population_stability_index"
        value = metrics.registry.get_sample_value(name, {"figure": figure})
        assert value is not None
        return value

    assert math.isnan(shown("score"))
    metrics.on_adapter("a" * 64, "1", "gemma", REFERENCE)
    for _ in range(400):
        metrics.on_score(15.0, 600)
    assert shown("score") > 0.25
    assert shown("prompt_tokens") == pytest.approx(0, abs=0.02)

    low = ReferenceFigures((0, 200) + (0,) * 8, REFERENCE.prompt_tokens)
    metrics.on_adapter("b" * 64, "2", "gemma", low)
    assert math.isnan(shown("score"))
    for _ in range(MIN_DRIFT_SCORES):
        metrics.on_score(15.0, 600)
    assert shown("score") == pytest.approx(0, abs=0.02)

    metrics.on_adapter("base", "", "gemma")
    assert b'figure="score"} NaN' in generate_latest(metrics.registry)


def test_the_settings_allow_no_window_that_could_never_tell_anything() -> None:
    assert Settings(drift_window_scores=MIN_DRIFT_SCORES).drift_window_scores == MIN_DRIFT_SCORES
    with pytest.raises(ValueError, match="drift_window_scores"):
        Settings(drift_window_scores=MIN_DRIFT_SCORES - 1)
