"""The families of models that can score: the one table in which a new one is entered.

What differs from family to family stands here or behind a name here. What all share is the shape of
transformers' own: a decoder with a list of layers, and attention that takes additive masks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers.models.gemma2.modeling_gemma2 import Gemma2MLP, Gemma2RMSNorm
from transformers.models.gemma3.modeling_gemma3 import Gemma3MLP, Gemma3RMSNorm

from services.contracts.errors import ModelUnavailable
from services.scoring.model.last_layer import shorten_last_layer
from services.scoring.reading.turns import GEMMA_TURNS, Turns

#: Every linear layer of a Gemma block (QLoRA, Dettmers et al. 2023: all layers, or quality suffers).
TARGET_MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class Family:
    """What one family of models needs.

    Attributes:
        name: for people.
        model_types: ``model_type`` of its configurations.
        turns: its marks of a turn.
        target_modules: names of the layers that LoRA changes.
        feed_forward: class of its feed-forward layers, act(gate x) * up x through down.
        norm: class of its normalisations, x / rms(x) * (1 + weight).
        shorten_last_layer: lets a decoder take ``num_kept_rows``.
    """

    name: str
    model_types: tuple[str, ...]
    turns: Turns
    target_modules: tuple[str, ...]
    feed_forward: type[nn.Module]
    norm: type[nn.Module]
    shorten_last_layer: Callable[[Any], None]


FAMILIES = (
    Family("Gemma 2", ("gemma2",), GEMMA_TURNS, TARGET_MODULES, Gemma2MLP, Gemma2RMSNorm, shorten_last_layer),
    Family(
        "Gemma 3",
        ("gemma3", "gemma3_text"),
        GEMMA_TURNS,
        TARGET_MODULES,
        Gemma3MLP,
        Gemma3RMSNorm,
        shorten_last_layer,
    ),
)


def family_of(model_type: str) -> Family:
    """Returns the family of a configuration.

    Raises:
        ModelUnavailable: none is known; names those that are.
    """
    for family in FAMILIES:
        if model_type in family.model_types:
            return family
    known = " and ".join(family.name for family in FAMILIES)
    raise ModelUnavailable(f"model type {model_type}: only {known} can be scored with")
