"""The worker's own metrics, beside those of every scorer."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.contracts.outcomes import AnnotationReason
from services.process.metrics.drift import DEFAULT_DRIFT_WINDOW_SCORES
from services.process.metrics.scoring import ScoringMetrics
from services.process.metrics.series import touched

# From an application being published to its score: an idle worker (0.1 s) to a long backlog (an hour).
EVENT_AGE_BUCKETS_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


class WorkerMetrics(ScoringMetrics):
    """The metrics of one worker."""

    def __init__(
        self, registry: CollectorRegistry, drift_window_scores: int = DEFAULT_DRIFT_WINDOW_SCORES
    ) -> None:
        super().__init__(registry, drift_window_scores)
        self.event_age_seconds = Histogram(
            "scoring_event_age_seconds",
            "Age of an application event (ce_time, else the record's time) when its score was published.",
            buckets=EVENT_AGE_BUCKETS_SECONDS,
            registry=registry,
        )
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
            "Job records that the view ignored as unreadable; their dead letter is written once a group.",
            registry=registry,
        )
        self.outdated_jobs = Counter(
            "scoring_job_records_outdated_total",
            "Job records older than the posting that was known, by version, post time or order: they change "
            "nothing. A worker that connects anew meets them again.",
            registry=registry,
        )
        annotation_requests = Counter(
            "scoring_annotation_requests_total",
            "Uncertain applications that people were asked to label, by the measure that chose them.",
            ["reason"],
            registry=registry,
        )
        self.annotation_requests = touched(annotation_requests, AnnotationReason)
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
