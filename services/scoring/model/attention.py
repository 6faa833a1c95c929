"""Which attention a model computes with, and one for CPUs.

The one for CPUs takes the heads of a key group in one product and leaves out keys that no query sees.
PyTorch's fused attention on a CPU copies the keys for each head and computes the upper triangle, too: at 530
queries and 1,060 keys of Gemma 3's shape it takes 2.2 times as long, forward and backward. It also knows no
soft-capping of the logits, which Gemma 2 was trained with.
"""

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedConfig
from transformers.masking_utils import eager_mask

GROUPED_ATTENTION = "grouped"
# Three to four pieces of a usual prompt: fewer compute more of the triangle, more make the products small.
_QUERIES_IN_A_PIECE = 192


def attention_implementation(config: PreTrainedConfig, device_type: str) -> str:
    """Returns the fastest attention that computes a model exactly, by transformers' name of it.

    Args:
        device_type: where it will compute, ``cpu`` or ``cuda``.
    """
    if device_type == "cpu":
        _register_grouped_attention()
        return GROUPED_ATTENTION
    # PyTorch's fused attention knows no soft-capping.
    text_config = config.get_text_config(decoder=True)
    return "eager" if getattr(text_config, "attn_logit_softcapping", None) else "sdpa"


def _register_grouped_attention() -> None:
    AttentionInterface.register(GROUPED_ATTENTION, grouped_attention)
    AttentionMaskInterface.register(GROUPED_ATTENTION, eager_mask)


def grouped_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    *,
    scaling: float,
    softcap: float | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Computes softmax(q k / scale + mask) v for grouped queries (Ainslie et al. 2023, "GQA").

    Args:
        module: unused; transformers passes its layer.
        query: shape (batch, heads, queries, width).
        key: shape (batch, groups, keys, width); queries stand at the last columns, and none sees a column
            behind its own.
        value: shape (batch, groups, keys, width).
        attention_mask: additive, shape (batch, 1, queries, keys or more).
        softcap: bound of the logits, ``softcap * tanh(logits / softcap)``; None for none.
        sliding_window: how many keys the mask lets a query see at most, in tokens; None for all before it.

    Returns:
        Shape (batch, queries, heads, width), and no attention weights.
    """

    batch, heads, num_queries, width = query.shape
    groups, num_keys = key.shape[1], key.shape[2]
    query = query * scaling
    num_pieces = -(-num_queries // _QUERIES_IN_A_PIECE)
    pieces = []
    for piece in range(num_pieces):
        first, last = num_queries * piece // num_pieces, num_queries * (piece + 1) // num_pieces
        end = num_keys - num_queries + last
        mask = attention_mask[:, :, first:last, :end]
        begin = (
            _first_seen(mask) if sliding_window is not None and sliding_window < end - (last - first) else 0
        )
        stacked = query[:, :, first:last].reshape(batch, groups, -1, width)
        logits = stacked @ key[:, :, begin:end].transpose(2, 3)
        if softcap is not None:
            logits = (logits / softcap).tanh() * softcap
        by_head = logits.view(batch, heads, last - first, end - begin)
        weights = (by_head + mask[..., begin:]).softmax(-1)
        seen = weights.view(batch, groups, -1, end - begin) @ value[:, :, begin:end]
        pieces.append(seen.view(batch, heads, last - first, width))
    return torch.cat(pieces, dim=2).transpose(1, 2), None


def _first_seen(mask: torch.Tensor) -> int:
    """Returns the first column that any row sees; padding may move it far before the window's width."""
    return int((mask == 0).any(dim=2).any(dim=0).int().argmax())
