"""Every Prometheus metric of the scoring processes, each with its buckets and what it answers.

No label is unbounded and no series carries an id of a job, an application or a person.
"""

from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from services.contracts.reference import ReferenceFigures
from services.process.dead_letter_metrics import DeadLetterCounter
from services.process.drift import DEFAULT_DRIFT_WINDOW_SCORES, DRIFT_FIGURES, DriftMonitor
from services.process.gpu_memory import GpuMemoryCollector

GRPC_ENTRYPOINTS = ("score", "rank", "stream", "explain")
ENTRYPOINTS = ("kafka", *GRPC_ENTRYPOINTS)
OUTCOMES = (
    "ok",
    "invalid_input",
    "overloaded",
    "closed",
    "deadline_expired",
    "cancelled",
    "scoring_failed",
    "unknown_job",
    "waiting_room_full",
    "superseded",
    "internal_error",
)
STAGES = ("queue", "encode", "forward", "readout")
PREFIX_OUTCOMES = ("hit", "miss")
SWITCH_OUTCOMES = ("ok", "rejected")
REFUSALS = (
    "unauthenticated",
    "permission_denied",
    "tokens_unavailable",
    "rate_exceeded",
    "too_many_calls",
    "message_unreadable",
    "deadline_expired",
    "stream_idle",
)
ANNOTATION_REASONS = ("standard_deviation", "category_margin")

# From tokenising one short resume (1 ms) to a full batch on a CPU (a minute).
STAGE_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
# From an application being published to its score: an idle worker (0.1 s) to a long backlog (an hour).
EVENT_AGE_BUCKETS_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
# From one assignment a layer (0.1 ms) to one forward pass on a CPU.
SWITCH_PAUSE_BUCKETS_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1)
# From one short pair on a GPU (25 ms) to the default deadline of a call (a minute).
REQUEST_BUCKETS_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
# Tens, with the category borders 45, 65 and 85 between them.
SCORE_BUCKETS_POINTS = (10, 20, 30, 40, 45, 50, 60, 65, 70, 80, 85, 90, 100)
BATCH_PAIRS_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128)
BATCH_TOKENS_BUCKETS = (128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
SHORT_DIGEST_CHARACTERS = 12


class ScoringMetrics:
    """The metrics of one process; also an ``EngineObserver``. All methods may be called from any thread.

    Args:
        registry: where they are collected.
        drift_window_scores: latest scores that are compared with the active adapter's reference.
    """

    def __init__(
        self, registry: CollectorRegistry, drift_window_scores: int = DEFAULT_DRIFT_WINDOW_SCORES
    ) -> None:
        self.registry = registry
        self._drift = DriftMonitor(drift_window_scores)
        self._define_engine(registry)
        self._define_drift(registry)
        self._define_requests(registry)
        self._define_kafka(registry)
        self._touch_every_series()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        registry.register(GpuMemoryCollector())

    def _define_engine(self, registry: CollectorRegistry) -> None:
        self.stage_seconds = Histogram(
            "scoring_stage_duration_seconds",
            "Time of one stage: queue and encode of a pair, forward and readout of a batch.",
            ["stage"],
            buckets=STAGE_BUCKETS_SECONDS,
            registry=registry,
        )
        self.batch_requests = Histogram(
            "scoring_batch_requests", "Pairs in a batch.", buckets=BATCH_PAIRS_BUCKETS, registry=registry
        )
        self.batch_tokens = Histogram(
            "scoring_batch_tokens",
            "Tokens that the model processed for a batch, padding included.",
            buckets=BATCH_TOKENS_BUCKETS,
            registry=registry,
        )
        self.padding_tokens = Counter(
            "scoring_padding_tokens_total", "Tokens computed for nothing but alignment.", registry=registry
        )
        self.queue_requests = Gauge(
            "scoring_queue_requests", "Pairs accepted and not yet computed.", registry=registry
        )
        self.prefix_lookups = Counter(
            "scoring_prefix_lookups_total",
            "Lookups of a job's key-value prefix.",
            ["outcome"],
            registry=registry,
        )
        self.prefix_cache_bytes = Gauge(
            "scoring_prefix_cache_bytes", "Memory of the cached job prefixes.", registry=registry
        )
        self.adapter_info = Gauge(
            "scoring_adapter_info",
            "1 for the adapter that scores are computed with now; its digest is shortened.",
            ["adapter_version", "adapter_digest", "base_model"],
            registry=registry,
        )
        self.adapter_switches = Counter(
            "scoring_adapter_switches_total",
            "Adapters that were activated, or rejected as incompatible.",
            ["outcome"],
            registry=registry,
        )
        self.adapter_switch_pause_seconds = Histogram(
            "scoring_adapter_switch_pause_seconds",
            "How long the model thread did nothing but change the adapter.",
            buckets=SWITCH_PAUSE_BUCKETS_SECONDS,
            registry=registry,
        )

    def _define_drift(self, registry: CollectorRegistry) -> None:
        self.score_points = Histogram(
            "scoring_score_points",
            "Scores that were given, from 0 to 100.",
            buckets=SCORE_BUCKETS_POINTS,
            registry=registry,
        )
        index = Gauge(
            "scoring_drift_population_stability_index",
            "How far the latest scores and prompt lengths are from the active adapter's training pairs: less "
            "than 0.1 is none, more than 0.25 a shift; NaN below 200 scores or 100 training pairs.",
            ["figure"],
            registry=registry,
        )
        for figure in DRIFT_FIGURES:
            index.labels(figure).set_function(partial(self._drift.index, figure))

    def _define_requests(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "scoring_requests_total",
            "Pairs that were answered, by where they came in and how they ended.",
            ["entrypoint", "outcome"],
            registry=registry,
        )
        self.refused_calls = Counter(
            "scoring_refused_calls_total",
            "Calls that were turned away before their method saw a message, or ended because nothing came.",
            ["reason"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "scoring_request_duration_seconds",
            "Time of one accepted pair of a gRPC call, from the check of its fields to its outcome.",
            ["entrypoint"],
            buckets=REQUEST_BUCKETS_SECONDS,
            registry=registry,
        )

        self.audit_failures = Counter(
            "scoring_audit_log_failures_total",
            "Lines of the audit log that could not be written; their scores are held back.",
            registry=registry,
        )

    def _define_kafka(self, registry: CollectorRegistry) -> None:
        self.event_age_seconds = Histogram(
            "scoring_event_age_seconds",
            "Age of an application event (ce_time, else the record's time) when its score was published.",
            buckets=EVENT_AGE_BUCKETS_SECONDS,
            registry=registry,
        )
        self.dead_letters = DeadLetterCounter(registry)
        self.waiting_applications = Gauge(
            "scoring_waiting_applications",
            "Applications whose job has not been posted yet.",
            registry=registry,
        )
        self.in_flight_applications = Gauge(
            "scoring_in_flight_applications",
            "Applications handed to the engine or being published.",
            registry=registry,
        )
        self.jobs = Gauge("scoring_jobs", "Jobs that this worker knows.", registry=registry)
        self.skipped_jobs = Counter(
            "scoring_job_records_skipped_total",
            "Job records that the view ignored as unreadable; the validator puts them aside once a group.",
            registry=registry,
        )
        self.outdated_jobs = Counter(
            "scoring_job_records_outdated_total",
            "Job records older than the posting that was known, by version, post time or order: they change "
            "nothing. A worker that connects anew meets them again.",
            registry=registry,
        )
        self.annotation_requests = Counter(
            "scoring_annotation_requests_total",
            "Uncertain applications that people were asked to label, by the measure that chose them.",
            ["reason"],
            registry=registry,
        )
        self.committed_offset = Gauge(
            "scoring_committed_offset",
            "Offset up to which a partition of the applications topic is done and committed.",
            ["partition"],
            registry=registry,
        )
        self.end_offset = Gauge(
            "scoring_end_offset",
            "End of a partition of the applications topic as the broker tells it; end minus committed is the "
            "lag with Apache Kafka, but the development broker's end is too low.",
            ["partition"],
            registry=registry,
        )

    def _touch_every_series(self) -> None:
        """Makes every series exist at zero, so that a rate over it is defined from the start."""
        for entrypoint in ENTRYPOINTS:
            for outcome in OUTCOMES:
                self.requests.labels(entrypoint, outcome)
        for entrypoint in GRPC_ENTRYPOINTS:
            self.request_seconds.labels(entrypoint)
        for stage in STAGES:
            self.stage_seconds.labels(stage)
        for outcome in PREFIX_OUTCOMES:
            self.prefix_lookups.labels(outcome)
        for outcome in SWITCH_OUTCOMES:
            self.adapter_switches.labels(outcome)
        for reason in ANNOTATION_REASONS:
            self.annotation_requests.labels(reason)
        for refusal in REFUSALS:
            self.refused_calls.labels(refusal)

    def count_request(self, entrypoint: str, outcome: str) -> None:
        """Counts one answered pair.

        Args:
            entrypoint: one of ``ENTRYPOINTS``.
            outcome: one of ``OUTCOMES``; anything else is counted as ``internal_error``.
        """
        self.requests.labels(entrypoint, outcome if outcome in OUTCOMES else "internal_error").inc()

    def observe_request(self, entrypoint: str, seconds: float) -> None:
        """Notes how long one accepted pair of a gRPC call took, whatever its outcome."""
        self.request_seconds.labels(entrypoint).observe(seconds)

    def count_refusal(self, reason: str) -> None:
        """Counts one call that was turned away, by one of ``REFUSALS``."""
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

    def on_queue_changed(self, num_requests: int) -> None:
        self.queue_requests.set(num_requests)

    def on_batch(self, num_pairs: int, num_tokens: int, num_padding_tokens: int) -> None:
        self.batch_requests.observe(num_pairs)
        self.batch_tokens.observe(num_tokens)
        self.padding_tokens.inc(num_padding_tokens)

    def on_stage(self, stage: str, seconds: float) -> None:
        self.stage_seconds.labels(stage).observe(seconds)

    def on_prefix(self, is_hit: bool) -> None:
        self.prefix_lookups.labels("hit" if is_hit else "miss").inc()

    def on_prefix_cache_changed(self, num_bytes: int) -> None:
        self.prefix_cache_bytes.set(num_bytes)

    def on_score(self, score: float, num_prompt_tokens: int) -> None:
        self.score_points.observe(score)
        self._drift.observe(score, num_prompt_tokens)

    def on_adapter(
        self, digest: str, version: str, base_model: str, reference: ReferenceFigures | None = None
    ) -> None:
        self._drift.start_over(reference)
        self.adapter_info.clear()  # only the active one, so the labels stay bounded
        self.adapter_info.labels(version, digest[:SHORT_DIGEST_CHARACTERS], base_model).set(1)
