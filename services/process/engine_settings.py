"""From the settings of a process to what its engine is built from."""

from pathlib import Path

from services.process.settings import Settings
from services.scoring.engine.factory import EngineSpec
from services.scoring.model.base_model import BaseModelSpec
from services.scoring.model.default_adapter import default_adapter_of


def base_model_spec(settings: Settings) -> BaseModelSpec:
    """Returns which base model to load and how."""
    return BaseModelSpec(
        name=settings.base_model,
        cache_dir=settings.model_cache_dir.expanduser(),
        device=settings.device,
        quantization=settings.quantization,
        dtype=settings.dtype,
    )


def adapter_folder(settings: Settings) -> Path | None:
    """Returns the folder of the adapter to score with, or None for the base model alone."""
    if settings.adapter == "auto":
        return default_adapter_of(settings.base_model)
    return None if settings.adapter in ("", "none") else Path(settings.adapter).expanduser()


def resume_tokens(settings: Settings) -> int | None:
    """Returns how much of a resume is read, in tokens; 0 is no limit of its own, None the adapter's rule."""
    return None if settings.max_resume_tokens == "auto" else settings.max_resume_tokens


def engine_spec(settings: Settings) -> EngineSpec:
    """Returns what the engine is built from."""
    return EngineSpec(
        base_model=base_model_spec(settings),
        adapter=adapter_folder(settings),
        max_prompt_tokens=settings.max_prompt_tokens,
        max_resume_tokens=resume_tokens(settings),
        lora_mode=settings.lora_mode,
        layout=settings.batch_layout,
        batch_token_budget=settings.batch_token_budget,
        batching_window_seconds=settings.batching_window_seconds,
        max_queued_pairs=settings.max_queued_pairs,
        prefix_cache_bytes=settings.prefix_cache_bytes,
        is_identity_masked=settings.mask_identity,
    )
