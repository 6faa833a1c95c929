"""The key-value state of a prompt's first tokens."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class PrefixState:
    """The key-value state of one prefix.

    Attributes:
        layers: for each layer the keys and the values, each of shape (1, heads, tokens, head dimension).
    """

    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]

    @property
    def num_tokens(self) -> int:
        """Returns the length of the prefix."""
        return int(self.layers[0][0].shape[-2])

    @property
    def num_bytes(self) -> int:
        """Returns the memory that the state holds."""
        return sum(part.numel() * part.element_size() for layer in self.layers for part in layer)
