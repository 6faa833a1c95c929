"""The training service."""

from pathlib import Path

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from services.contracts.engine_settings import UserPath
from services.process.settings.rollout import FollowerSettings
from services.process.settings.section import Port, Section


class TrainingPolicySettings(Section):
    """When a run starts, and how long what it learns from is kept."""

    trainer_min_new_labels: PositiveInt = 50
    """so many new usable labels start a run"""
    trainer_max_hours: PositiveFloat = 24.0
    """no usable label waits longer than this for a run"""
    trainer_backoff_seconds: PositiveFloat = 300.0
    """after a failed run; doubled with each further failure"""
    trainer_min_pause_seconds: NonNegativeFloat = 600.0
    """between runs that nobody asked for"""
    trainer_retention_days: PositiveFloat = 90.0
    """texts of applications that nobody labelled"""
    trainer_label_retention_days: PositiveFloat = 730.0
    """labels with their texts"""


class TrainingSetSettings(Section):
    """What a run learns from."""

    trainer_replay_share: float = Field(0.5, ge=0, le=10)
    """older labels mixed in, for each new one"""
    trainer_base_share: float = Field(0.5, ge=0, le=10)
    """pairs of the base set mixed in, for each new label"""
    trainer_held_out_share: float = Field(0.2, ge=0, lt=1)
    """share of the applications that is never trained on"""
    trainer_golden_set: str = ""
    """JSON lines of labelled pairs; empty: the built-in, invented ones"""


class TrainerSettings(FollowerSettings, TrainingPolicySettings, TrainingSetSettings):
    """The whole service: the policy, the training set, and how a run computes."""

    trainer_dir: UserPath = Path("~/.local/share/resume-scorer/trainer").expanduser()
    """folder of labels and runs; of one trainer"""
    trainer_learning_rate: float = Field(1e-5, gt=0, lt=1)
    """of a run; the fine-tuning guide's online learning"""
    trainer_epochs: PositiveFloat = 1.0
    """passes of a run over its training set"""
    trainer_max_prompt_tokens: int = Field(1024, ge=128)
    """longest prompt in training, in tokens"""
    trainer_checkpoint_steps: PositiveInt = 20
    """a run that is cut off goes on from the last checkpoint"""
    trainer_run_limit_seconds: PositiveFloat = 4 * 3600.0
    """a longer run is ended and counts as failed"""
    trainer_nice: int = Field(10, ge=0, le=19)
    """niceness of the training process: scoring goes first"""
    trainer_kept_versions: PositiveInt = 10
    """versions that stay in the adapter store, and folders of runs"""
    trainer_metrics_port: Port = 9103
    """port of metrics and probes"""


class AuditSettings(Section):
    """The fairness audit."""

    audit_thresholds: str = ""
    """YAML of limits for `resume-scorer audit`; empty: the built-in ones"""
