"""Tiny random Gemmas in float32 on the CPU: the real shape and the real tokenizer, in no time."""

import atexit
import copy
import shutil
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from services.contracts.engine_settings import ModelSettings
from services.scoring.model.loading.base_model import BaseModel, load_base_model

TINY_GEMMA_2 = "random:tiny-gemma-2"
TINY_MODEL = "random:tiny-gemma-3"
TINY_MODELS = (TINY_GEMMA_2, TINY_MODEL)


def tiny_settings(cache_dir: Path, name: str = TINY_MODEL, **changes: Any) -> ModelSettings:
    """Returns the settings of a tiny model."""
    chosen = {"base_model": name, "model_cache_dir": cache_dir, "device": "cpu", "dtype": "float32"}
    return ModelSettings(**chosen | changes)


def load_tiny(cache_dir: Path, name: str = TINY_MODEL, **changes: Any) -> BaseModel:
    """Returns a copy of its own: peft and the engine put their layers into a model in place."""
    if changes:
        return load_base_model(tiny_settings(cache_dir, name, **changes))
    loaded = _loaded(cache_dir, name)
    return replace(loaded, model=copy.deepcopy(loaded.model))


@cache
def _loaded(cache_dir: Path, name: str) -> BaseModel:
    loaded = load_base_model(tiny_settings(cache_dir, name))
    return replace(loaded, tokenizer=_WrittenOnce(loaded.tokenizer))


class _WrittenOnce:
    """A tokenizer whose files are copies of the first one: to write its 33 MB anew takes a second."""

    def __init__(self, tokenizer: Any) -> None:
        self.__dict__["_inner"] = tokenizer

    def save(self, path: str) -> None:
        shutil.copyfile(_written(self._inner), path)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._inner, name, value)


@cache
def _written(tokenizer: Any) -> str:
    folder = tempfile.mkdtemp(prefix="tokenizer-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tokenizer.save(f"{folder}/tokenizer.json")
    return f"{folder}/tokenizer.json"
