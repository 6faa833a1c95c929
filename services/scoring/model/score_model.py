"""The base model with its adapter, as three steps: prefix, tree pass, read-out rows. Owned by one thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache

from services.scoring.model.attention_masks import TreeLayout, lay_out_causal, lay_out_tree
from services.scoring.model.cpu_layers import fuse_cpu_layers
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.lora_layers import LoraLayers, LoraMode
from services.scoring.model.prefix_state import PrefixState
from services.scoring.reading.score_scale import NUM_READOUT_ROWS, ScoreTokens


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One row of a tree pass.

    Attributes:
        prefix: state of the tokens in front, or None where the suffix is the whole prompt.
        suffix: token ids to compute, at least one.
    """

    prefix: PrefixState | None
    suffix: tuple[int, ...]

    @property
    def prefix_length(self) -> int:
        """Returns the number of tokens in front."""
        return self.prefix.num_tokens if self.prefix is not None else 0


class ScoreModel:
    """Computes logits; knows no queue, no text and no time.

    Args:
        score_tokens: the score scale in its vocabulary.
        lora_mode: how adapters are computed with.

    Attributes:
        lora: loads adapters and makes one active.
    """

    def __init__(self, base: BaseModel, score_tokens: ScoreTokens, lora_mode: LoraMode = "auto") -> None:
        fuse_cpu_layers(base.model)
        config = base.model.config.get_text_config(decoder=True)
        self.lora = LoraLayers(base, lora_mode)
        self._backbone = _text_backbone(base.model)
        base.family.shorten_last_layer(self._backbone)
        self._head: torch.Tensor = base.model.get_output_embeddings().weight
        self._softcap: float | None = config.final_logit_softcapping
        self._window: int | None = (
            config.sliding_window if "sliding_attention" in config.layer_types else None
        )
        self._num_layers: int = config.num_hidden_layers
        self._tree_tokens = list(score_tokens.nodes)
        self.device: torch.device = base.model.device
        self.dtype: torch.dtype = base.model.dtype
        # In float32 a pair computed by itself has the same bits whatever is computed beside it.
        self.is_exact = self.dtype == torch.float32
        # Eleven rows of a head with 262,144: all that a score needs. float32 costs nothing at this size.
        self._readout_head = self._head[list(score_tokens.readout)].detach().float().contiguous()

    def compute_prefix(self, tokens: Sequence[int]) -> PrefixState:
        """Computes the key-value state of a prefix, always alone, so that its bits depend on nothing else.

        Args:
            tokens: token ids, at least one.
        """

        with torch.inference_mode():
            return self.differentiable_prefix(tokens)

    def differentiable_prefix(self, tokens: Sequence[int]) -> PrefixState:
        """Computes a prefix's state as ``compute_prefix`` does, with the graph that training needs."""

        cache = self._new_cache()
        layout = lay_out_causal(len(tokens), self._window, self.dtype, self.device)
        self._run(torch.tensor([list(tokens)], device=self.device), layout, cache, num_rows=1)
        return PrefixState(tuple((layer.keys, layer.values) for layer in cache.layers))

    def score_tree_logits(self, rows: Sequence[TreeRow]) -> NDArray[np.float32]:
        """Computes the logits of the score tree behind each prompt, in one forward pass.

        Args:
            rows: the prompts; shorter ones are padded on the left.

        Returns:
            Shape (rows, 11, 11): behind the prompt and each of ten nodes, the ten digits and the end.
        """

        with torch.inference_mode():
            logits: NDArray[np.float32] = self.differentiable_tree_logits(rows).cpu().numpy()
            return logits

    def differentiable_tree_logits(self, rows: Sequence[TreeRow]) -> torch.Tensor:
        """Computes what ``score_tree_logits`` does, with the graph that training needs.

        Returns:
            float32, shape (rows, 11, 11).
        """

        layout = lay_out_tree(
            [row.prefix_length for row in rows],
            [len(row.suffix) for row in rows],
            self._window,
            self.dtype,
            self.device,
        )
        longest = max(len(row.suffix) for row in rows)
        tokens = [[0] * (longest - len(row.suffix)) + [*row.suffix, *self._tree_tokens] for row in rows]
        inputs, cache = torch.tensor(tokens, device=self.device), self._stacked_cache(rows)
        hidden = self._run(inputs, layout, cache, num_rows=NUM_READOUT_ROWS)
        # Contiguous, or matmul copies the head once for each row of the batch.
        readout_rows = hidden.contiguous().float()
        # Training's autocast would round the logits, and all losses on them, to bfloat16.
        with torch.autocast(self.device.type, enabled=False):
            return self._capped(readout_rows @ self._readout_head.T)

    def continue_greedily(self, tokens: Sequence[int], cache: Any) -> tuple[int, Any]:
        """Computes tokens behind a cache and returns the likeliest next token and the grown cache.

        Args:
            tokens: token ids, at least one.
            cache: what an earlier call returned, a ``PrefixState``, or None.
        """

        with torch.inference_mode():
            if cache is None or isinstance(cache, PrefixState):
                cache = self._stacked_cache([TreeRow(cache, tuple(tokens))]) or self._new_cache()
            layout = lay_out_causal(
                len(tokens), self._window, self.dtype, self.device, past=cache.get_seq_length()
            )
            hidden = self._run(torch.tensor([list(tokens)], device=self.device), layout, cache, num_rows=1)
            logits = hidden[0, -1].contiguous() @ self._head.T
            return int(logits.argmax()), cache

    def _run(self, input_ids: torch.Tensor, layout: TreeLayout, cache: Any, *, num_rows: int) -> torch.Tensor:
        """Returns the last hidden states of the last rows, shape (batch, num_rows, hidden)."""
        output = self._backbone(
            input_ids=input_ids,
            attention_mask=layout.masks,
            position_ids=layout.position_ids,
            past_key_values=cache,
            use_cache=cache is not None,
            num_kept_rows=num_rows,
        )
        hidden: torch.Tensor = output.last_hidden_state
        return hidden

    def _new_cache(self) -> Any:
        # Without a config: with one, sliding layers would be cropped to the window.
        return DynamicCache()

    def _stacked_cache(self, rows: Sequence[TreeRow]) -> Any:
        longest = max(row.prefix_length for row in rows)
        if longest == 0:
            return None
        layers = [
            tuple(_stack([_part(row, layer, which) for row in rows], longest) for which in (0, 1))
            for layer in range(self._num_layers)
        ]
        return DynamicCache(ddp_cache_data=layers)

    def _capped(self, logits: torch.Tensor) -> torch.Tensor:
        if self._softcap is None:
            return logits
        return (logits / self._softcap).tanh() * self._softcap


def _text_backbone(model: Any) -> Any:
    """Returns the decoder without its head, through peft's and the multimodal model's wrappers."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    inner = inner.model
    return getattr(inner, "language_model", inner)


def _part(row: TreeRow, layer: int, which: int) -> torch.Tensor | None:
    return row.prefix.layers[layer][which] if row.prefix is not None else None


def _stack(parts: list[torch.Tensor | None], longest: int) -> torch.Tensor:
    """Stacks the states of one layer along the batch, padded on the left to the longest."""

    first = next(part for part in parts if part is not None)
    if all(part is first for part in parts):
        return first.expand(len(parts), -1, -1, -1)
    stacked = first.new_zeros((len(parts), first.shape[1], longest, first.shape[3]))
    for index, part in enumerate(parts):
        if part is not None:
            stacked[index, :, longest - part.shape[2] :] = part[0]
    return torch.as_tensor(stacked)
