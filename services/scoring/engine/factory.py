"""Builds the engine of a process: model, adapter, cache and queue put together."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from services.contracts.engine_observer import EngineObserver, SilentObserver
from services.contracts.errors import ModelUnavailable
from services.contracts.reading import DEFAULT_MAX_PROMPT_TOKENS, ReadingOverrides
from services.scoring.engine.adapter_switch import load_adapter
from services.scoring.engine.batch_planner import BatchLimits
from services.scoring.engine.batch_scorer import BatchScorer
from services.scoring.engine.prefix_cache import PrefixCache
from services.scoring.engine.scoring_engine import EngineOptions, ScoringEngine
from services.scoring.model.base_model import BaseModel, BaseModelSpec, load_base_model
from services.scoring.model.bundled_model import Progress
from services.scoring.model.score_model import ScoreModel
from services.scoring.reading.score_scale import find_score_tokens
from services.scoring.reading.text_encoder import TextEncoder

log = logging.getLogger(__name__)

# Measured on two CPU cores: 1,024 gives 17 % less, 4,096 7 % less; a GPU needs more to be busy.
_CPU_BATCH_TOKENS = 2048
_CUDA_BATCH_TOKENS = 20_000


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Everything an engine is built from.

    Attributes:
        base_model: what to load and how.
        adapter: folder of a LoRA adapter, or None for the base model alone.
        max_prompt_tokens: longest prompt, in tokens.
        max_resume_tokens: how much of a resume is read, in tokens; 0 is no limit of its own, None what the
            adapter says.
        lora_mode: ``merged`` gives each loaded adapter its own copy of the layers that it changes;
            ``factors`` computes its two products beside them; ``auto`` merges where the base model is not
            quantised and its device has room.
        layout: how a batch is computed; ``auto`` is ``sequential`` in float32, whose scores are then the
            same bit for bit in any batch, else ``padded``.
        batch_token_budget: tokens of one pass; 0 chooses by device.
        batching_window_seconds: how long the oldest pair waits for others.
        max_queued_pairs: pairs admitted and not yet computed.
        prefix_cache_bytes: bound of the prefix cache.
        is_identity_masked: whether names, pronouns and the like are replaced before scoring.
    """

    base_model: BaseModelSpec
    adapter: Path | None = None
    max_prompt_tokens: int = DEFAULT_MAX_PROMPT_TOKENS
    max_resume_tokens: int | None = None
    lora_mode: Literal["auto", "merged", "factors"] = "auto"
    layout: Literal["auto", "padded", "sequential"] = "auto"
    batch_token_budget: int = 0
    batching_window_seconds: float = 0.005
    max_queued_pairs: int = 1024
    prefix_cache_bytes: int = 512 * 1024**2
    is_identity_masked: bool = False


def build_engine(
    spec: EngineSpec, observer: EngineObserver | None = None, progress: Progress = log.info
) -> ScoringEngine:
    """Loads the model and builds an engine that ``start`` sets going.

    Args:
        spec: what to build.
        observer: told what the engine does.
        progress: told one line before each long step.

    Raises:
        ModelUnavailable: the base model cannot be loaded or cannot write scores.
        AdapterIncompatible: the adapter does not fit it.
        SettingsInvalid: the prompt's length leaves no room for a job.
    """
    progress(f"loading {spec.base_model.name}")
    base = load_base_model(spec.base_model, progress)
    return assemble_engine(base, spec, observer or SilentObserver())


def assemble_engine(base: BaseModel, spec: EngineSpec, observer: EngineObserver) -> ScoringEngine:
    """Builds an engine around a loaded base model; see ``build_engine``."""

    encoder = TextEncoder(base.tokenizer)
    try:
        score_tokens = find_score_tokens(encoder)
    except ValueError as error:
        raise ModelUnavailable(f"base model {base.name}: {error}") from error
    model = ScoreModel(base, score_tokens, spec.lora_mode)
    adapter = load_adapter(model, base.name, spec.adapter)
    layout = spec.layout
    if layout == "auto":
        layout = "sequential" if model.dtype == torch.float32 else "padded"
    budget = spec.batch_token_budget or (
        _CUDA_BATCH_TOKENS if model.device.type == "cuda" else _CPU_BATCH_TOKENS
    )
    scorer = BatchScorer(model, adapter, layout, PrefixCache(spec.prefix_cache_bytes), observer)
    options = EngineOptions(
        BatchLimits(max_tokens=budget, window_seconds=spec.batching_window_seconds),
        spec.max_queued_pairs,
        ReadingOverrides(spec.max_prompt_tokens, spec.is_identity_masked, spec.max_resume_tokens),
    )
    return ScoringEngine(scorer, encoder, options, observer)
