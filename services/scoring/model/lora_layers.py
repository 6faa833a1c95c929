"""LoRA on the base model's linear layers, made so that a change of adapter is one assignment a layer.

The product is that of Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", section 4.1:
``h = W x + (alpha / r) B A x``. Where the base model is not quantised, ``W + (alpha / r) B A`` is computed
once, when the adapter is read, and takes the place of ``W``: then a pass costs what it costs without an
adapter, instead of two more products of rank 16 in each layer (docs/performance.md has what they cost). The
price is a copy of these weights for each adapter that is loaded: the active one and, during a change, the
next. peft's own layers stay in use for training. For serving they would change in place while a forward pass
runs, and hold a new adapter active before its weights are there.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from safetensors.torch import load_file
from torch import nn

from services.adapters.adapter_folder import WEIGHTS_FILE, LoraAdapter, layer_of
from services.contracts.errors import AdapterIncompatible
from services.scoring.model import cpu_products
from services.scoring.model.adapter_fit import check_fits
from services.scoring.model.loading.base_model import BaseModel

log = logging.getLogger(__name__)

#: ``merged`` computes with ``W + B A``, ``factors`` with ``W`` and the two factors; ``auto`` merges where the
#: base model is not quantised and its device has room.
LoraMode = Literal["auto", "merged", "factors"]
# A change needs the next adapter beside the active one, and a pass its activations.
_ROOM_FACTOR = 2


@dataclass(frozen=True, slots=True)
class LoraFactors:
    """The two factors of one layer.

    Attributes:
        a: shape (r, inputs), in the base model's compute type.
        b: shape (outputs, r), already times alpha / r.
    """

    a: torch.Tensor
    b: torch.Tensor


@dataclass(frozen=True, slots=True)
class MergedWeight:
    """What takes the place of one layer's weight.

    Attributes:
        weight: shape (outputs, inputs), in the base model's compute type; on a CPU maybe in oneDNN's order.
    """

    weight: torch.Tensor


#: An adapter's weights by the name of their layer.
LoraWeights = Mapping[str, LoraFactors | MergedWeight]


class LoraLinear(nn.Module):
    """A linear layer of the base model, with the weights of the active adapter or without any.

    Args:
        base: the layer; bfloat16, float32 or NF4.
    """

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base = base
        self.in_features: int = base.in_features  # type: ignore[assignment]
        self.out_features: int = base.out_features  # type: ignore[assignment]
        self.change: LoraFactors | MergedWeight | None = None

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Returns the layer's output, shape (..., outputs)."""
        change = self.change
        if isinstance(change, MergedWeight):
            multiply = cpu_products.product if change.weight.is_mkldnn else nn.functional.linear
            return multiply(inputs, change.weight, self.base.bias)  # type: ignore[arg-type]
        outputs: torch.Tensor = self.base(inputs)
        if change is None:
            return outputs
        return outputs + nn.functional.linear(nn.functional.linear(inputs, change.a), change.b)


class LoraLayers:
    """Loads adapters for one base model and makes one of them active.

    Args:
        base: the base model; its linear layers are wrapped in place, once an adapter needs them.
        mode: how adapters are computed with.
    """

    def __init__(self, base: BaseModel, mode: LoraMode = "auto") -> None:
        if mode == "merged" and base.quantization != "none":
            raise AdapterIncompatible(f"an adapter cannot be merged into {base.quantization} weights")
        self._base = base
        self._mode = mode
        # An engine before this one may have wrapped them.
        self._wrapped = {
            name: layer for name, layer in base.model.named_modules() if isinstance(layer, LoraLinear)
        }
        self._active: LoraWeights | None = None
        self._lock = threading.Lock()

    def load(self, adapter: LoraAdapter) -> LoraWeights:
        """Reads an adapter's weights onto the device; may run beside a forward pass.

        Raises:
            AdapterIncompatible: it does not fit the base model, or needs more than plain LoRA.
        """

        with self._lock:
            scaling = check_fits(adapter, self._base).scaling
            device = self._base.model.device
            pairs: dict[str, dict[str, torch.Tensor]] = {}
            for key, tensor in load_file(adapter.folder / WEIGHTS_FILE).items():
                factor = "a" if ".lora_A." in key else "b"
                scaled = tensor.float() * (scaling if factor == "b" else 1.0)
                pairs.setdefault(layer_of(key), {})[factor] = scaled.to(device)
            # A wrapped layer without a change computes what it did, so a pass may meet it half-way.
            layers = {name: self._wrap(name) for name in pairs}
            if self._is_merged(layers.values()):
                return {name: _merged(layers[name], **factors) for name, factors in pairs.items()}
            dtype = self._base.model.dtype
            return {
                name: LoraFactors(factors["a"].to(dtype), factors["b"].to(dtype))
                for name, factors in pairs.items()
            }

    def activate(self, weights: LoraWeights | None) -> None:
        """Makes an adapter's weights the ones in use, None for none; for the model thread alone."""
        weights = weights or {}
        if weights is self._active:
            return
        for name, layer in self._wrapped.copy().items():
            layer.change = weights.get(name)
        self._active = weights

    def _is_merged(self, layers: Iterable[LoraLinear]) -> bool:
        if self._mode != "auto":
            return self._mode == "merged"
        if self._base.quantization != "none":
            return False
        device, dtype = self._base.model.device, self._base.model.dtype
        if device.type != "cuda":
            return True
        num_bytes = sum(layer.in_features * layer.out_features for layer in layers) * dtype.itemsize
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        has_room: bool = torch.cuda.mem_get_info(device)[0] + unused >= _ROOM_FACTOR * num_bytes
        if not has_room:
            log.warning("no room for a merged copy of %d MiB; adapter kept apart", num_bytes // 1024**2)
        return has_room

    def _wrap(self, name: str) -> LoraLinear:
        if name not in self._wrapped:
            parent, _, child = name.rpartition(".")
            layer = LoraLinear(self._base.model.get_submodule(name))
            setattr(self._base.model.get_submodule(parent), child, layer)
            self._wrapped[name] = layer
        return self._wrapped[name]


@torch.no_grad()
def _merged(layer: LoraLinear, a: torch.Tensor, b: torch.Tensor) -> MergedWeight:
    weight: torch.Tensor = layer.base.weight  # type: ignore[assignment]
    merged = (weight.float() + b @ a).to(weight.dtype)
    # The base model's own weights stay as they are: the next adapter is added to them.
    if cpu_products.are_supported(merged.device, merged.dtype):
        merged = cpu_products.packed(merged)
    return MergedWeight(merged)
