"""The training service: labels in, better adapters out; and what a person can ask of it."""

from services.training_service.app import TrainerAlreadyRunning, exclusive, run_trainer
from services.training_service.database import Database
from services.training_service.labels.forgetting import forget_application
from services.training_service.labels.label_store import LabelStore
from services.training_service.labels.quarantine import Quarantine
from services.training_service.metrics import TrainerMetrics
from services.training_service.runs.run_store import ENDS, Request, Run, RunState, RunStore
from services.training_service.runs.training_set import load_base_set

__all__ = [
    "Database",
    "ENDS",
    "LabelStore",
    "Quarantine",
    "Request",
    "Run",
    "RunState",
    "RunStore",
    "TrainerAlreadyRunning",
    "TrainerMetrics",
    "exclusive",
    "forget_application",
    "load_base_set",
    "run_trainer",
]
