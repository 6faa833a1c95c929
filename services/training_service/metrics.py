"""Every Prometheus metric of the training service; no series carries an id of an application or a person."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from services.process.metrics.dead_letters import DeadLetterCounter

LABEL_OUTCOMES = ("new", "replaced", "repeated", "rejected", "forgotten")
JOB_OUTCOMES = ("published", "rejected", "failed", "cancelled")
VERDICTS = ("passed", "rejected")
# From a handful of pairs on a GPU (10 s) to the default time limit on a CPU (4 h).
JOB_BUCKETS_SECONDS = (10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)


class TrainerMetrics:
    """The metrics of one trainer."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._define_labels(registry)
        self._define_runs(registry)
        self._touch_every_series()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)

    def _define_labels(self, registry: CollectorRegistry) -> None:
        self.labels = Counter(
            "finetuning_labels_total",
            "Label records: new, replacing the same rater's earlier one, read again, or bad.",
            ["outcome"],
            registry=registry,
        )
        self.dead_letters = DeadLetterCounter(registry)
        self.usable_labels = Gauge(
            "finetuning_usable_labels", "Labels whose texts are known.", registry=registry
        )
        self.new_labels = Gauge(
            "finetuning_new_labels", "Usable labels that no run has taken yet.", registry=registry
        )
        self.waiting_labels = Gauge(
            "finetuning_waiting_labels", "Labels whose texts have not come yet.", registry=registry
        )
        self.quarantined_labels = Gauge(
            "finetuning_quarantined_labels",
            "Labels that took part in two rejected runs and wait for a person to release them.",
            registry=registry,
        )
        self.clock_ahead_seconds = Gauge(
            "finetuning_clock_ahead_seconds",
            "How far this machine's clock has jumped ahead of the time that retention goes by; else 0.",
            registry=registry,
        )
        self.disagreement_points = Gauge(
            "finetuning_rater_disagreement_points",
            "Mean absolute difference of two people who judged the same application.",
            registry=registry,
        )

    def _define_runs(self, registry: CollectorRegistry) -> None:
        self.jobs = Counter(
            "finetuning_jobs_total", "Training runs that ended.", ["outcome"], registry=registry
        )
        self.job_seconds = Histogram(
            "finetuning_job_duration_seconds",
            "Time of one training process, comparison included.",
            buckets=JOB_BUCKETS_SECONDS,
            registry=registry,
        )
        self.is_running = Gauge(
            "finetuning_running_jobs", "1 while a run goes on, else 0.", registry=registry
        )
        self.verdicts = Counter(
            "finetuning_gate_verdicts_total",
            "What the gate said of trained adapters.",
            ["verdict"],
            registry=registry,
        )
        self.last_run_seconds = Gauge(
            "finetuning_last_run_timestamp_seconds",
            "When the last run ended, in seconds since 1970; 0 before the first.",
            registry=registry,
        )

    def _touch_every_series(self) -> None:
        """Makes every series exist at zero, so that a rate over it is defined from the start."""
        for outcome in LABEL_OUTCOMES:
            self.labels.labels(outcome)
        for outcome in JOB_OUTCOMES:
            self.jobs.labels(outcome)
        for verdict in VERDICTS:
            self.verdicts.labels(verdict)
