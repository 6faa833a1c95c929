"""Adapters that are published while the services run."""

from pydantic import Field

from services.contracts.engine_settings import EngineSettings
from services.process.settings.kafka import KafkaSettings


class RolloutSettings(KafkaSettings):
    """Which announcements are followed, and where adapters are kept."""

    adapter_name: str = Field("default", min_length=1, max_length=256)
    """which announcements are followed"""
    adapter_store: str = "~/.local/share/resume-scorer/adapters"
    """a folder, s3://... or gs://..."""


class FollowerSettings(RolloutSettings, EngineSettings):
    """What a scorer follows, and what it serves while nothing is announced."""
