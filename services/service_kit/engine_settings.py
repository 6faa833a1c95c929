"""From the settings of a process to what its engine is built from."""

from pathlib import Path

from services.scoring.base_model import BaseModelSpec
from services.scoring.engine_factory import EngineSpec
from services.service_kit.settings import Settings


def base_model_spec(settings: Settings) -> BaseModelSpec:
    """Returns which base model to load and how."""
    return BaseModelSpec(
        name=settings.base_model,
        cache_dir=settings.model_cache_dir.expanduser(),
        device=settings.device,
        quantization=settings.quantization,
        dtype=settings.dtype,
    )


def engine_spec(settings: Settings) -> EngineSpec:
    """Returns what the engine is built from."""
    return EngineSpec(
        base_model=base_model_spec(settings),
        adapter=Path(settings.adapter).expanduser() if settings.adapter else None,
        max_prompt_tokens=settings.max_prompt_tokens,
        layout=settings.batch_layout,
        batch_token_budget=settings.batch_token_budget,
        batching_window_seconds=settings.batching_window_seconds,
        max_queued_pairs=settings.max_queued_pairs,
        prefix_cache_bytes=settings.prefix_cache_bytes,
    )
