from prometheus_client import CollectorRegistry

from services.contracts.outcomes import GRPC_ENTRYPOINTS, Entrypoint
from services.scoring_api.metrics import ApiMetrics


def test_request_times_are_kept_by_entry_point_and_exist_from_the_start() -> None:
    metrics = ApiMetrics(CollectorRegistry())

    metrics.observe_request(Entrypoint.SCORE, 0.3)

    def count(entrypoint: str) -> float | None:
        labels = {"entrypoint": entrypoint}
        return metrics.registry.get_sample_value("scoring_request_duration_seconds_count", labels)

    assert {entrypoint: count(entrypoint) for entrypoint in GRPC_ENTRYPOINTS} == {
        "score": 1,
        "rank": 0,
        "stream": 0,
        "explain": 0,
    }
