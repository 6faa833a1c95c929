"""The Prometheus metrics of every process that scores, each with its buckets and what it answers.

No label is unbounded and no series carries an id of a job, an application or a person.
"""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from services.contracts.outcomes import AdapterChange, Entrypoint, Outcome, PrefixLookup, Stage
from services.contracts.reference import ReferenceFigures
from services.process.metrics.dead_letters import DeadLetterCounter
from services.process.metrics.drift import DEFAULT_DRIFT_WINDOW_SCORES, DRIFT_FIGURES, DriftMonitor
from services.process.metrics.gpu_memory import GpuMemoryCollector
from services.process.metrics.series import touched

# From tokenising one short resume (1 ms) to a full batch on a CPU (a minute).
STAGE_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
# From one assignment a layer (0.1 ms) to one forward pass on a CPU.
SWITCH_PAUSE_BUCKETS_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1)
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
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        registry.register(GpuMemoryCollector())

    def _define_engine(self, registry: CollectorRegistry) -> None:
        stage_seconds = Histogram(
            "scoring_stage_duration_seconds",
            "Time of one stage: queue and encode of a pair, forward and readout of a batch.",
            ["stage"],
            buckets=STAGE_BUCKETS_SECONDS,
            registry=registry,
        )
        self.stage_seconds = touched(stage_seconds, Stage)
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
        prefix_lookups = Counter(
            "scoring_prefix_lookups_total",
            "Lookups of a job's key-value prefix.",
            ["outcome"],
            registry=registry,
        )
        self.prefix_lookups = touched(prefix_lookups, PrefixLookup)
        self.prefix_cache_bytes = Gauge(
            "scoring_prefix_cache_bytes", "Memory of the cached job prefixes.", registry=registry
        )
        self.adapter_info = Gauge(
            "scoring_adapter_info",
            "1 for the adapter that scores are computed with now; its digest is shortened.",
            ["adapter_version", "adapter_digest", "base_model"],
            registry=registry,
        )
        adapter_switches = Counter(
            "scoring_adapter_switches_total",
            "Adapters that were activated, or rejected as incompatible.",
            ["outcome"],
            registry=registry,
        )
        self.adapter_switches = touched(adapter_switches, AdapterChange)
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
        requests = Counter(
            "scoring_requests_total",
            "Pairs that were answered, by where they came in and how they ended.",
            ["entrypoint", "outcome"],
            registry=registry,
        )
        self.requests = touched(requests, Entrypoint, Outcome)
        self.dead_letters = DeadLetterCounter(registry)
        self.audit_failures = Counter(
            "scoring_audit_log_failures_total",
            "Lines of the audit log that could not be written; their scores are held back.",
            registry=registry,
        )

    def count_request(self, entrypoint: Entrypoint, outcome: Outcome) -> None:
        """Counts one answered pair."""
        self.requests.labels(entrypoint, outcome).inc()

    def on_queue_changed(self, num_requests: int) -> None:
        self.queue_requests.set(num_requests)

    def on_batch(self, num_pairs: int, num_tokens: int, num_padding_tokens: int) -> None:
        self.batch_requests.observe(num_pairs)
        self.batch_tokens.observe(num_tokens)
        self.padding_tokens.inc(num_padding_tokens)

    def on_stage(self, stage: Stage, seconds: float) -> None:
        self.stage_seconds.labels(stage).observe(seconds)

    def on_prefix(self, is_hit: bool) -> None:
        self.prefix_lookups.labels(PrefixLookup.HIT if is_hit else PrefixLookup.MISS).inc()

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
