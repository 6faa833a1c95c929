"""Gemma models with random weights: tiny ones for tests, real shapes for benchmarks. No download."""

from collections.abc import Callable
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma3TextConfig,
    PreTrainedConfig,
    PreTrainedModel,
)

from services.scoring.model.attention import attention_implementation

_TINY: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "query_pre_attn_scalar": 16,
    "vocab_size": 262_144,
    "max_position_embeddings": 8192,
    "layer_types": ["sliding_attention", "full_attention"],
    # Larger than the default 0.02, so that scores differ visibly between texts.
    "initializer_range": 0.5,
}


# The tokenizer is always Gemma 3's, so the vocabulary is its 262,144 also where Gemma 2 has 256,000.
_SHAPES: dict[str, Callable[[], PreTrainedConfig]] = {
    "tiny-gemma-2": lambda: Gemma2Config(**_TINY, sliding_window=64),
    "tiny-gemma-3": lambda: Gemma3TextConfig(**_TINY, sliding_window=64),
    # gemma-2-2b's proportions at a size for CPUs; the tiny ones are too narrow for 4-bit blocks of 64.
    "small-gemma-2": lambda: Gemma2Config(
        hidden_size=256,
        intermediate_size=1024,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=64,
        query_pre_attn_scalar=64,
        vocab_size=262_144,
    ),
    # google/gemma-2-2b: the defaults of Gemma2Config are its config.json.
    "gemma-2-2b": lambda: Gemma2Config(
        hidden_size=2304,
        intermediate_size=9216,
        num_hidden_layers=26,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=256,
        sliding_window=4096,
        vocab_size=262_144,
    ),
}


def random_model_names() -> tuple[str, ...]:
    """Returns the names that ``build_random_model`` knows."""
    return tuple(_SHAPES)


def build_random_model(name: str, device_type: str, *, seed: int = 0) -> PreTrainedModel:
    """Builds a float32 Gemma with random weights on the CPU; the same seed gives the same weights.

    Args:
        name: one of ``random_model_names()``.
        device_type: where it will compute, ``cpu`` or ``cuda``.
        seed: of torch's generator, which is restored afterwards.

    Raises:
        KeyError: there is no such name.
    """

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = _SHAPES[name]()
        model: PreTrainedModel = AutoModelForCausalLM.from_config(
            config, dtype=torch.float32, attn_implementation=attention_implementation(config, device_type)
        )
    return model.eval()
