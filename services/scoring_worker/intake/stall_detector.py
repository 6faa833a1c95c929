"""Tells from committed and end offsets whether reading has come to a stand; pure."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

# Longer without a look, and nobody knows what happened meanwhile.
MAX_GAP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Stand:
    """How far one partition is.

    Attributes:
        committed: offset up to which all is done.
        end: offset behind the last record, as the broker tells it.
    """

    committed: int
    end: int


class StallDetector:
    """Remembers since when each partition has had more to read and not moved.

    Times are those of one monotonic clock, in seconds.
    """

    def __init__(self) -> None:
        self._since: dict[int, tuple[int, float]] = {}
        self._unassigned_since: float | None = None
        self._looked_at: float | None = None

    def look(self, now: float, stands: Mapping[int, Stand], *, is_assigned: bool) -> None:
        """Notes how far the worker's partitions are.

        Args:
            stands: of every partition that the worker reads.
            is_assigned: whether it has been told which those are; they may be none.
        """
        if self._looked_at is None or now - self._looked_at > MAX_GAP_SECONDS:
            self._since, self._unassigned_since = {}, None
        self._looked_at = now
        if is_assigned:
            self._unassigned_since = None
        elif self._unassigned_since is None:
            self._unassigned_since = now
        before, self._since = self._since, {}
        for partition, stand in stands.items():
            if stand.committed < stand.end:
                committed, since = before.get(partition, (stand.committed, now))
                self._since[partition] = (stand.committed, since if committed == stand.committed else now)

    def forgive(self, partitions: Set[int]) -> None:
        """Begins anew with partitions of which it is known that they need not move."""
        for partition in partitions:
            self._since.pop(partition, None)

    def stalled_partitions(self, now: float, seconds: float) -> dict[int, int]:
        """Returns the partitions that have stood still for so long, with their committed offsets."""
        return {place: at for place, (at, since) in self._since.items() if now - since >= seconds}

    def is_unassigned(self, now: float, seconds: float) -> bool:
        """Returns whether the worker has waited for its partitions for so long."""
        return self._unassigned_since is not None and now - self._unassigned_since >= seconds
