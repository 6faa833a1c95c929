"""The scoring worker."""

from pydantic import Field, PositiveFloat, PositiveInt

from services.process.settings.kafka import KafkaSettings
from services.process.settings.section import Port


class WorkerSettings(KafkaSettings):
    """How applications are taken from Kafka."""

    worker_group: str = "scoring-worker"
    """consumer group that shares the applications"""
    worker_job_wait_seconds: PositiveFloat = 60.0
    """how long an application waits for its job"""
    worker_max_waiting: PositiveInt = 10_000
    """how many may wait at once"""
    worker_max_in_flight: PositiveInt = 256
    """applications handed to the engine at once"""
    worker_stall_seconds: PositiveFloat = 300.0
    """more to read, and nothing committed for this long beside the wait for jobs: /livez fails"""
    worker_metrics_port: Port = 9101
    """port of metrics and probes"""
    annotation_requests_per_hour: int = Field(20, ge=0, le=3600)
    """applications that each worker asks people to label; 0: none"""
