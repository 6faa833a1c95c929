"""A base model that a training may change."""

from pathlib import Path

import pytest

from services.contracts.engine_settings import ModelSettings
from services.scoring.model.base_model import BaseModel, load_base_model


@pytest.fixture
def base(cache_dir: Path) -> BaseModel:
    # Its own copy: peft puts its layers into the model in place.
    return load_base_model(
        ModelSettings(
            base_model="random:tiny-gemma-3", model_cache_dir=cache_dir, device="cpu", dtype="float32"
        )
    )
