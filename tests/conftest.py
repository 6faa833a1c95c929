"""Models that tests share: tiny random ones with the real tokenizer, and the real Gemma 3 270M."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from services.contracts.engine_settings import ModelSettings
from services.process.settings import load_settings
from services.scoring.model.base_model import BaseModel, load_base_model
from services.scoring.reading.text_encoder import TextEncoder

# As the command does, before anything starts gRPC: children are forked beside it.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

# On busy cores an input may take long to invent or to try: that is no fault of what is tested.
settings.register_profile("busy cores", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy cores")

TINY_MODELS = ("random:tiny-gemma-2", "random:tiny-gemma-3")


@pytest.fixture(scope="session")
def cache_dir() -> Path:
    """The cache of prepared models, shared with the commands so that it is filled once a machine."""
    return load_settings().model_cache_dir


@pytest.fixture(scope="session")
def tiny_gemma_2(cache_dir: Path) -> BaseModel:
    return load_base_model(
        ModelSettings(base_model=TINY_MODELS[0], model_cache_dir=cache_dir, device="cpu", dtype="float32")
    )


@pytest.fixture(scope="session")
def tiny_gemma_3(cache_dir: Path) -> BaseModel:
    return load_base_model(
        ModelSettings(base_model=TINY_MODELS[1], model_cache_dir=cache_dir, device="cpu", dtype="float32")
    )


@pytest.fixture(params=TINY_MODELS)
def tiny_model(request: pytest.FixtureRequest) -> BaseModel:
    """Each tiny model in turn."""
    model: BaseModel = request.getfixturevalue(request.param.removeprefix("random:").replace("-", "_"))
    return model


@pytest.fixture(scope="session")
def encoder(tiny_gemma_3: BaseModel) -> TextEncoder:
    return TextEncoder(tiny_gemma_3.tokenizer)
