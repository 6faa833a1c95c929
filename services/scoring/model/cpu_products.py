"""bfloat16 products on a CPU through oneDNN's own operators, which PyTorch's public ones do not reach.

Inductor has operators that take weights in the order in which oneDNN reads them, instead of reordering them
in each pass, and that apply an activation function to each block of a product while the processor's cache
holds it. For inference alone: they have no gradients.
"""

from typing import Literal

import torch

# oneDNN chooses the order by the number of rows: those of one usual suffix. Measured with one to six of them.
_TYPICAL_ROWS = 352


def are_supported(device: torch.device, dtype: torch.dtype) -> bool:
    """Returns whether weights of this type on this device can be multiplied with here."""
    is_built_in: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if device.type != "cpu" or dtype != torch.bfloat16 or not is_built_in:
        return False
    is_fast: bool = torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001 - asked nowhere else
    return is_fast


def packed(weight: torch.Tensor) -> torch.Tensor:
    """Returns a weight in oneDNN's order; ``product`` alone can use it.

    Args:
        weight: bfloat16 on a CPU, shape (outputs, inputs).
    """
    reordered: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, _TYPICAL_ROWS)  # noqa: SLF001
    return reordered


def product(
    inputs: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    activation: Literal["none", "gelu"] = "none",
) -> torch.Tensor:
    """Returns activation(inputs weight^T + bias), shape (..., outputs).

    Args:
        inputs: bfloat16, shape (..., inputs).
        weight: shape (outputs, inputs), packed or not.
        bias: shape (outputs,), or None for none.
        activation: ``gelu`` is the form with tanh (Hendrycks & Gimpel 2016).
    """
    algorithm = "tanh" if activation == "gelu" else ""
    result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001
        inputs, weight, bias, activation, [], algorithm
    )
    return result
