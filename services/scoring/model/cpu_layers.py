"""Gemma's feed-forward and normalisation layers in fewer passes over memory, for inference on a CPU.

As transformers writes them they read and write whole activations once for each operation, which on two cores
takes a tenth of a pass over 2,000 tokens. Here oneDNN applies the activation function to each block of a
product while the processor's cache holds it, and the normalisation works in place. Roundings differ where
transformers rounds the product to bfloat16 before the function and this does not. Training, float32 and 4-bit
weights take transformers' way.
"""

from types import MethodType
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from services.scoring.model.cpu_products import are_supported, product
from services.scoring.model.loading.families import family_of
from services.scoring.model.lora_layers import LoraLinear, MergedWeight

# Gemma's only one; the form that oneDNN knows by the name of "tanh".
_ACTIVATION = "gelu_pytorch_tanh"


def fuse_cpu_layers(model: PreTrainedModel) -> None:
    """Lets a model's layers compute in fewer passes where that is possible; changes no weight and no name.

    Args:
        model: a Gemma 2 or 3; left as it is unless it computes in bfloat16 on a CPU.
    """
    if not are_supported(model.device, model.dtype):
        return

    family = family_of(model.config.model_type)
    is_activation_known = model.config.get_text_config(decoder=True).hidden_activation == _ACTIVATION
    for module in model.modules():
        if isinstance(module, family.norm):
            module.forward = MethodType(_normalize, module)
        elif is_activation_known and isinstance(module, family.feed_forward):
            module.forward = MethodType(_feed_forward, module)


def _feed_forward(layer: Any, inputs: torch.Tensor) -> torch.Tensor:
    """Computes down(gelu(gate x) * up x); shapes (..., hidden) to (..., hidden)."""
    weight = _weight_in_use(layer.gate_proj) if torch.is_inference_mode_enabled() else None
    outputs: torch.Tensor
    if weight is None:
        outputs = type(layer).forward(layer, inputs)
    else:
        gate = product(inputs, weight, activation="gelu")
        outputs = layer.down_proj(gate.mul_(layer.up_proj(inputs)))
    return outputs


def _normalize(layer: Any, inputs: torch.Tensor) -> torch.Tensor:
    """Computes x / rms(x) * (1 + weight) in float32 (Zhang & Sennrich 2019, "RMSNorm"); the shape stays."""
    # A float32 input would be changed in place.
    if not torch.is_inference_mode_enabled() or inputs.dtype == torch.float32:
        outputs: torch.Tensor = type(layer).forward(layer, inputs)
        return outputs
    values = inputs.float()
    scale = torch.linalg.vector_norm(values, dim=-1, keepdim=True)
    scale = scale.square_().div_(values.shape[-1]).add_(layer.eps).rsqrt_()
    return values.mul_(scale).mul_(1.0 + layer.weight.float()).to(inputs.dtype)


def _weight_in_use(layer: nn.Module) -> torch.Tensor | None:
    """Returns the one weight that a layer multiplies with; None where it does more than that."""
    if isinstance(layer, LoraLinear):
        if isinstance(layer.change, MergedWeight):
            return layer.change.weight if layer.base.bias is None else None
        return _weight_in_use(layer.base) if layer.change is None else None
    return layer.weight if type(layer) is nn.Linear and layer.bias is None else None
