"""The worker: applications in from Kafka, scores out."""

from services.scoring_worker.app import run_worker
from services.scoring_worker.intake.faust_app import leave_without_faust
from services.scoring_worker.metrics import WorkerMetrics

__all__ = [
    "WorkerMetrics",
    "leave_without_faust",
    "run_worker",
]
