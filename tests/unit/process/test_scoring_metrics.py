from prometheus_client import CollectorRegistry

from services.process.metrics.scoring import ScoringMetrics


def test_scores_fall_between_the_borders_of_the_categories() -> None:
    metrics = ScoringMetrics(CollectorRegistry())

    for score in (12.0, 46.0, 64.9, 99.0):
        metrics.on_score(score, num_prompt_tokens=100)

    def below(border: str) -> float | None:
        return metrics.registry.get_sample_value("scoring_score_points_bucket", {"le": border})

    assert [below(border) for border in ("45.0", "65.0", "85.0", "100.0")] == [1, 3, 3, 4]
