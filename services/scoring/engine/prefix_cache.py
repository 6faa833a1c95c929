"""Key-value states of job prefixes, least recently used out, bounded in bytes."""

from collections import OrderedDict
from dataclasses import dataclass

from services.scoring.model.prefix_state import PrefixState


@dataclass(frozen=True, slots=True)
class PrefixKey:
    """What a prefix's state depends on; a swap of the adapter can never reach another one's state.

    Attributes:
        adapter_digest: content digest, never a name, which can come to mean other weights.
        prompt_version: of ``services.scoring.reading.prompt``.
        prefix_digest: of the prefix's token ids.
    """

    adapter_digest: str
    prompt_version: str
    prefix_digest: bytes


class PrefixCache:
    """Keeps the most recently used states. Owned by the model thread: not safe to share.

    Args:
        max_bytes: bound on the sum of ``num_bytes``; 0 keeps nothing.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._states: OrderedDict[PrefixKey, PrefixState] = OrderedDict()
        self._num_bytes = 0

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, key: PrefixKey) -> bool:
        return key in self._states

    @property
    def num_bytes(self) -> int:
        """Returns the memory that all states hold."""
        return self._num_bytes

    def find(self, key: PrefixKey) -> PrefixState | None:
        """Returns the state under a key and marks it as used, or None."""
        state = self._states.get(key)
        if state is not None:
            self._states.move_to_end(key)
        return state

    def keep(self, key: PrefixKey, state: PrefixState) -> None:
        """Stores a state and drops the least recently used ones that no longer fit.

        A state larger than the whole cache is not kept.
        """
        replaced = self._states.pop(key, None)
        if replaced is not None:
            self._num_bytes -= replaced.num_bytes
        if state.num_bytes > self._max_bytes:
            return
        self._states[key] = state
        self._num_bytes += state.num_bytes
        while self._num_bytes > self._max_bytes:
            _, dropped = self._states.popitem(last=False)
            self._num_bytes -= dropped.num_bytes

    def clear(self) -> None:
        """Drops every state."""
        self._states.clear()
        self._num_bytes = 0
