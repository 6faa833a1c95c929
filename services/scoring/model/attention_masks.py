"""Attention masks for a prompt with the score tree behind it.

Columns of keys: cached prefix | suffix | tree. Rows of queries: suffix | tree. Prefix and suffix are padded
on the left, so that the tree and the prompt's last token always stand in the last eleven rows.
"""

from dataclasses import dataclass

import torch

from services.scoring.reading.score_scale import NODE_DEPTHS, NODE_PARENTS, NUM_TREE_NODES


@dataclass(frozen=True)
class TreeLayout:
    """Masks and positions of one batch.

    Attributes:
        masks: additive, shape (batch, 1, queries, keys), under transformers' names of the layer types.
        position_ids: of the queries, shape (batch, queries).
    """

    masks: dict[str, torch.Tensor]
    position_ids: torch.Tensor


def lay_out_tree(
    prefix_lengths: list[int],
    suffix_lengths: list[int],
    window: int | None,
    dtype: torch.dtype,
    device: torch.device,
) -> TreeLayout:
    """Builds masks and positions for prompts with the score tree behind them.

    Args:
        prefix_lengths: cached tokens of each row, in tokens.
        suffix_lengths: computed prompt tokens of each row, in tokens.
        window: length of the sliding window in tokens, or None where the model has none.
    """

    prefix = torch.tensor(prefix_lengths, device=device)[:, None]
    suffix = torch.tensor(suffix_lengths, device=device)[:, None]
    max_prefix, max_suffix = max(prefix_lengths), max(suffix_lengths)

    prefix_positions = torch.arange(max_prefix, device=device)[None] - (max_prefix - prefix)
    suffix_positions = torch.arange(max_suffix, device=device)[None] - (max_suffix - suffix)
    is_real = torch.cat([prefix_positions >= 0, suffix_positions >= 0], dim=1)
    tree_positions = prefix + suffix - 1 + torch.tensor(NODE_DEPTHS, device=device)[None]
    query_positions = torch.cat([prefix + suffix_positions, tree_positions], dim=1)
    prompt_positions = torch.cat([prefix_positions, prefix + suffix_positions], dim=1)
    key_positions = torch.cat([prompt_positions, tree_positions], dim=1)

    sees_prompt = is_real[:, None, :] & (prompt_positions[:, None, :] <= query_positions[:, :, None])
    sees_tree = torch.zeros(
        len(prefix_lengths), query_positions.shape[1], NUM_TREE_NODES, dtype=torch.bool, device=device
    )
    sees_tree[:, max_suffix:, :] = torch.tensor(_ancestors(), device=device)
    allowed = torch.cat([sees_prompt, sees_tree], dim=2)
    # A padding row must see something, or its softmax is not a number.
    own_column = torch.arange(query_positions.shape[1], device=device)
    allowed[:, own_column, max_prefix + own_column] = True

    masks = {"full_attention": _additive(allowed, dtype)}
    if window is not None:
        distance = query_positions[:, :, None] - key_positions[:, None, :]
        masks["sliding_attention"] = _additive(allowed & (distance < window), dtype)
    return TreeLayout(masks, query_positions.clamp(min=0))


def lay_out_causal(
    length: int, window: int | None, dtype: torch.dtype, device: torch.device, past: int = 0
) -> TreeLayout:
    """Builds masks and positions for one plain sequence, of which ``past`` tokens are cached.

    Args:
        length: tokens to compute.
        window: length of the sliding window in tokens, or None where the model has none.
        past: cached tokens in front.
    """

    queries = torch.arange(past, past + length, device=device)
    distance = queries[:, None] - torch.arange(past + length, device=device)[None]
    allowed = (distance >= 0)[None]
    masks = {"full_attention": _additive(allowed, dtype)}
    if window is not None:
        masks["sliding_attention"] = _additive(allowed & (distance < window)[None], dtype)
    return TreeLayout(masks, queries[None])


def _ancestors() -> list[list[bool]]:
    rows = []
    for node in range(NUM_TREE_NODES):
        row = [False] * NUM_TREE_NODES
        while node >= 0:
            row[node] = True
            node = NODE_PARENTS[node]
        rows.append(row)
    return rows


def _additive(allowed: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)[:, None]
