"""Which records may be acknowledged: only those before which nothing is unfinished."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Token = TypeVar("Token")


@dataclass(slots=True)
class _Taken(Generic[Token]):
    token: Token
    is_finished: bool = False


class OffsetTracker(Generic[Token]):
    """Turns records finished in any order into acknowledgements in the order of their offsets.

    It knows what was delivered and nothing else, so offsets that do not exist (compaction,
    transaction markers) hold nothing up.
    """

    def __init__(self) -> None:
        self._taken: defaultdict[int, OrderedDict[int, _Taken[Token]]] = defaultdict(OrderedDict)
        self._next: dict[int, int] = {}

    @property
    def num_unacknowledged(self) -> int:
        """Returns how many records were taken and not yet handed out as acknowledged."""
        return sum(len(records) for records in self._taken.values())

    def expect(self, partition: int, offset: int) -> None:
        """Says where reading of a partition starts, where that is known."""
        self._next[partition] = offset

    def next_offset(self, partition: int) -> int | None:
        """Returns the offset after the last one taken, or None before the first."""
        return self._next.get(partition)

    def take(self, partition: int, offset: int, token: Token) -> bool:
        """Notes that a record was delivered.

        Args:
            token: handed back when the record may be acknowledged.

        Returns:
            False for a record that was delivered before in this assignment: it is in flight already.
        """
        records = self._taken[partition]
        if offset in records:
            records[offset].token = token  # the newest delivery is the one to acknowledge
            return False
        if offset < self._next.get(partition, 0):
            return False
        records[offset] = _Taken(token)
        self._next[partition] = offset + 1
        return True

    def finish(self, partition: int, offset: int) -> list[Token]:
        """Notes that a record needs no more work.

        Returns:
            The tokens that may now be acknowledged, in order; none for a record of a partition that
            was forgotten, since its new owner does that.
        """
        records = self._taken.get(partition)
        if not records or offset not in records:
            return []
        records[offset].is_finished = True
        ready = []
        while records and next(iter(records.values())).is_finished:
            ready.append(records.popitem(last=False)[1].token)
        return ready

    def forget(self, partitions: Iterable[int]) -> None:
        """Drops everything about partitions that now belong to somebody else, or are read anew."""
        for partition in list(partitions):
            self._taken.pop(partition, None)
            self._next.pop(partition, None)
