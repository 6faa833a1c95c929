"""The API's own metrics, beside those of every scorer."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.contracts.outcomes import GRPC_ENTRYPOINTS, Entrypoint, Refusal
from services.process.metrics.drift import DEFAULT_DRIFT_WINDOW_SCORES
from services.process.metrics.scoring import ScoringMetrics
from services.process.metrics.series import touched

# From one short pair on a GPU (25 ms) to the default deadline of a call (a minute).
REQUEST_BUCKETS_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class ApiMetrics(ScoringMetrics):
    """The metrics of one scoring API."""

    def __init__(
        self, registry: CollectorRegistry, drift_window_scores: int = DEFAULT_DRIFT_WINDOW_SCORES
    ) -> None:
        super().__init__(registry, drift_window_scores)
        refused_calls = Counter(
            "scoring_refused_calls_total",
            "Calls that were turned away before their method saw a message, or ended because nothing came.",
            ["reason"],
            registry=registry,
        )
        self.refused_calls = touched(refused_calls, Refusal)
        request_seconds = Histogram(
            "scoring_request_duration_seconds",
            "Time of one accepted pair of a gRPC call, from the check of its fields to its outcome.",
            ["entrypoint"],
            buckets=REQUEST_BUCKETS_SECONDS,
            registry=registry,
        )
        self.request_seconds = touched(request_seconds, GRPC_ENTRYPOINTS)

    def observe_request(self, entrypoint: Entrypoint, seconds: float) -> None:
        """Notes how long one accepted pair of a gRPC call took, whatever its outcome."""
        self.request_seconds.labels(entrypoint).observe(seconds)

    def count_refusal(self, reason: Refusal) -> None:
        """Counts one call that was turned away."""
        self.refused_calls.labels(reason).inc()

    def watch_certificate(self, expiry_seconds: Callable[[], float]) -> None:
        """Shows when the server's certificate ends; without TLS there is no such series."""
        Gauge(
            "scoring_tls_certificate_expiry_timestamp_seconds",
            "When the certificate of the gRPC port ends, in seconds since 1970.",
            registry=self.registry,
        ).set_function(expiry_seconds)

    def watch_tokens(self, is_file_failing: Callable[[], bool]) -> None:
        """Shows whether the tokens file cannot be used; without one the series stays at 0."""
        Gauge(
            "scoring_tokens_file_failing",
            "1 while the tokens file cannot be used: its last good state counts for a while, then nobody "
            "gets in.",
            registry=self.registry,
        ).set_function(is_file_failing)
