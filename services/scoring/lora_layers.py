"""LoRA beside the base model's linear layers, made so that a change of adapter is one assignment a layer.

The product is that of Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", section 4.1:
``h = W x + (alpha / r) B A x``. peft's own layers stay in use for training. For serving they would change
in place while a forward pass runs, and hold a new adapter active before its weights are there.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from services.contracts.errors import AdapterIncompatible
from services.scoring.base_model import BaseModel
from services.scoring.lora_adapter import CONFIG_FILE, WEIGHTS_FILE, LoraAdapter, layer_of

# What peft can do and this does not: each would change the product without a word.
_UNSUPPORTED = (
    "use_dora",
    "rank_pattern",
    "alpha_pattern",
    "modules_to_save",
    "fan_in_fan_out",
    "lora_bias",
    "alora_invocation_tokens",
)


@dataclass(frozen=True, slots=True)
class LoraFactors:
    """The two factors of one layer.

    Attributes:
        a: shape (r, inputs), in the base model's compute type.
        b: shape (outputs, r), already times alpha / r.
    """

    a: torch.Tensor
    b: torch.Tensor


#: An adapter's factors by the name of their layer.
LoraWeights = Mapping[str, LoraFactors]


class LoraLinear(nn.Module):
    """A linear layer of the base model, with the factors of the active adapter or without any.

    Args:
        base: the layer; bfloat16, float32 or NF4.
    """

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base = base
        self.in_features: int = base.in_features  # type: ignore[assignment]
        self.out_features: int = base.out_features  # type: ignore[assignment]
        self.factors: LoraFactors | None = None

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Returns the layer's output, shape (..., outputs)."""
        outputs: torch.Tensor = self.base(inputs)
        factors = self.factors
        if factors is None:
            return outputs
        return outputs + nn.functional.linear(nn.functional.linear(inputs, factors.a), factors.b)


class LoraLayers:
    """Loads adapters for one base model and makes one of them active.

    Args:
        base: the base model; its linear layers are wrapped in place, once an adapter needs them.
    """

    def __init__(self, base: BaseModel) -> None:
        self._base = base
        self._wrapped: dict[str, LoraLinear] = {}
        self._active: LoraWeights = {}
        self._lock = threading.Lock()

    def load(self, adapter: LoraAdapter) -> LoraWeights:
        """Reads an adapter's weights onto the device; may run beside a forward pass.

        Raises:
            AdapterIncompatible: it does not fit the base model, or needs more than plain LoRA.
        """
        from safetensors.torch import load_file

        with self._lock:
            adapter.check_fits(self._base)
            scaling = _scaling(adapter)
            device, dtype = self._base.model.device, self._base.model.dtype
            pairs: dict[str, dict[str, torch.Tensor]] = {}
            for key, tensor in load_file(adapter.folder / WEIGHTS_FILE).items():
                name = layer_of(key)
                factor = "a" if ".lora_A." in key else "b"
                if factor == "b":
                    tensor = tensor.float() * scaling
                pairs.setdefault(name, {})[factor] = tensor.to(device, dtype)
            if any(len(factors) != 2 for factors in pairs.values()):
                raise AdapterIncompatible(f"adapter {adapter.folder.name}: a layer has one factor of two")
            # A wrapped layer without factors computes what it did, so a pass may meet it half-way.
            for name in pairs:
                self._wrap(name)
            return {name: LoraFactors(**factors) for name, factors in pairs.items()}

    def activate(self, weights: LoraWeights | None) -> None:
        """Makes an adapter's weights the ones in use, None for none; for the model thread alone."""
        weights = weights or {}
        if weights is self._active:
            return
        for name, layer in self._wrapped.copy().items():
            layer.factors = weights.get(name)
        self._active = weights

    def _wrap(self, name: str) -> None:
        if name in self._wrapped:
            return
        parent, _, child = name.rpartition(".")
        layer = LoraLinear(self._base.model.get_submodule(name))
        setattr(self._base.model.get_submodule(parent), child, layer)
        self._wrapped[name] = layer


def _scaling(adapter: LoraAdapter) -> float:
    try:
        config: dict[str, Any] = json.loads((adapter.folder / CONFIG_FILE).read_text("utf-8"))
        unsupported = [name for name in _UNSUPPORTED if config.get(name)]
        if config.get("peft_type") != "LORA" or config.get("bias", "none") != "none" or unsupported:
            needs = ", ".join(unsupported) or "bias or another method"
            raise AdapterIncompatible(
                f"adapter {adapter.folder.name}: only plain LoRA is served, not {needs}"
            )
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
        # Rank-stabilised LoRA (Kalajdzievski 2023) divides by the root.
        return alpha / (rank**0.5 if config.get("use_rslora") else rank)
    except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise AdapterIncompatible(f"adapter {adapter.folder.name}: {CONFIG_FILE} is damaged") from error
