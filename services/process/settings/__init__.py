"""The settings of a process, a section a subject."""

from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.process.settings.grpc import AccessSettings, ApiSettings
from services.process.settings.kafka import BrokerSettings, KafkaSettings
from services.process.settings.loading import PREFIX, Settings, load_settings, variable_of
from services.process.settings.operation import AuditLogSettings, LogSettings, OperationSettings
from services.process.settings.rollout import FollowerSettings, RolloutSettings
from services.process.settings.trainer import (
    AuditSettings,
    TrainerSettings,
    TrainingPolicySettings,
    TrainingSetSettings,
)
from services.process.settings.worker import WorkerSettings

__all__ = [
    "PREFIX",
    "AccessSettings",
    "ApiSettings",
    "AuditLogSettings",
    "AuditSettings",
    "BrokerSettings",
    "EngineSettings",
    "FollowerSettings",
    "KafkaSettings",
    "LogSettings",
    "ModelSettings",
    "OperationSettings",
    "RolloutSettings",
    "Settings",
    "TrainerSettings",
    "TrainingPolicySettings",
    "TrainingSetSettings",
    "WorkerSettings",
    "load_settings",
    "variable_of",
]
