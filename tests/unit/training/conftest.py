"""A base model that a training may change."""

from pathlib import Path

import pytest

from services.scoring.model.loading.base_model import BaseModel
from tests.doubles.models import load_tiny


@pytest.fixture
def base(cache_dir: Path) -> BaseModel:
    # Its own copy: peft puts its layers into the model in place.
    return load_tiny(cache_dir)
