"""Applications that came before their job, with room for everybody.

A full room turns away from whoever takes up most of it: first the sender (CloudEvents' ``ce_source``; those
without one count as one), then the job. Of jobs with few waiting none takes up too much, so there the newest
application of that sender leaves. A flood of applications for jobs that nobody posts thus displaces itself.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.events.wire.event_codec import Position, SourceRecord, event_source

Key = TypeVar("Key", bound=Hashable)

# Waiting records stay in memory, and a resume may be 256 KiB.
MAX_WAITING_BYTES = 256 * 1024**2
# A record weighs 1, and 1 more for each of these: a large resume takes up as much as many short ones.
BYTES_A_UNIT = 4096
# A job with no more than this part of the room, or with so little, is not what fills it.
SMALL_PART = 20
SMALL_WEIGHT = 10


@dataclass(frozen=True, slots=True)
class _Waiting:
    record: SourceRecord
    sender: str
    job_id: str
    until_seconds: float

    @property
    def weight(self) -> int:
        return 1 + _size(self.record) // BYTES_A_UNIT


class _Weights(Generic[Key]):
    """Knows the heaviest key at any time, without looking at the others."""

    def __init__(self) -> None:
        self._weights: dict[Key, int] = {}
        self._by_weight: defaultdict[int, dict[Key, None]] = defaultdict(dict)
        self._most = 0

    def change(self, key: Key, by: int) -> None:
        before = self._weights.pop(key, 0)
        if before:
            self._drop(key, before)
        now = before + by
        if now:
            self._weights[key] = now
            self._by_weight[now][key] = None
        self._most = max(self._most, now)
        while self._most and self._most not in self._by_weight:
            self._most -= 1

    def heaviest(self) -> tuple[Key, int]:
        """Returns a key and its weight; of equal ones that which came to it last."""
        return next(reversed(self._by_weight[self._most])), self._most

    def _drop(self, key: Key, weight: int) -> None:
        equals = self._by_weight[weight]
        del equals[key]
        if not equals:
            del self._by_weight[weight]


class _Sender:
    """What waits of one sender."""

    def __init__(self) -> None:
        self.positions: dict[Position, None] = {}
        self.by_job: defaultdict[str, dict[Position, None]] = defaultdict(dict)
        self.jobs: _Weights[str] = _Weights()

    def add(self, position: Position, waiting: _Waiting) -> None:
        self.positions[position] = None
        self.by_job[waiting.job_id][position] = None
        self.jobs.change(waiting.job_id, waiting.weight)

    def remove(self, position: Position, waiting: _Waiting) -> None:
        del self.positions[position]
        of_job = self.by_job[waiting.job_id]
        del of_job[position]
        if not of_job:
            del self.by_job[waiting.job_id]
        self.jobs.change(waiting.job_id, -waiting.weight)

    def most_dispensable(self, small_weight: int) -> Position:
        job_id, weight = self.jobs.heaviest()
        return next(reversed(self.by_job[job_id] if weight > small_weight else self.positions))


class WaitingRoom:
    """Holds applications until their job is posted, for a bounded time and in bounded number.

    Times are those of one monotonic clock, in seconds.
    """

    def __init__(self, wait_seconds: float, max_waiting: int, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._wait_seconds = wait_seconds
        self._max_waiting = max_waiting
        self._max_bytes = max_bytes
        self._small_weight = max(SMALL_WEIGHT, max_waiting // SMALL_PART)
        self._num_bytes = 0
        self._waiting: OrderedDict[Position, _Waiting] = OrderedDict()
        self._by_job: defaultdict[str, dict[Position, None]] = defaultdict(dict)
        self._senders: defaultdict[str, _Sender] = defaultdict(_Sender)
        self._sender_weights: _Weights[str] = _Weights()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, position: Position) -> bool:
        return position in self._waiting

    def enter(self, record: SourceRecord, job_id: str, now: float) -> list[SourceRecord]:
        """Lets an application wait.

        Returns:
            Those that must leave without their job because the room is full; it may be among them.
        """
        waiting = _Waiting(record, event_source(record.headers), job_id, now + self._wait_seconds)
        self._waiting[record.position] = waiting
        self._by_job[job_id][record.position] = None
        self._senders[waiting.sender].add(record.position, waiting)
        self._sender_weights.change(waiting.sender, waiting.weight)
        self._num_bytes += _size(record)
        evicted = []
        while len(self._waiting) > self._max_waiting or self._num_bytes > self._max_bytes:
            sender, _ = self._sender_weights.heaviest()
            evicted.append(self._leave(self._senders[sender].most_dispensable(self._small_weight)))
        return evicted

    def release(self, job_id: str) -> list[SourceRecord]:
        """Returns the applications of a job that has come, in the order of their coming."""
        return [self._leave(position) for position in list(self._by_job.get(job_id, ()))]

    def expire(self, now: float) -> list[SourceRecord]:
        """Returns the applications that have waited long enough."""
        expired = []
        while self._waiting:
            first = next(iter(self._waiting))
            if self._waiting[first].until_seconds > now:
                break
            expired.append(self._leave(first))
        return expired

    def discard(self, is_unwanted: Callable[[SourceRecord], bool]) -> None:
        """Forgets applications, such as those of partitions that another worker reads now."""
        for position in [position for position, each in self._waiting.items() if is_unwanted(each.record)]:
            self._leave(position)

    def _leave(self, position: Position) -> SourceRecord:
        left = self._waiting.pop(position)
        of_job = self._by_job[left.job_id]
        del of_job[position]
        if not of_job:
            del self._by_job[left.job_id]
        sender = self._senders[left.sender]
        sender.remove(position, left)
        if not sender.positions:
            del self._senders[left.sender]
        self._sender_weights.change(left.sender, -left.weight)
        self._num_bytes -= _size(left.record)
        return left.record


def _size(record: SourceRecord) -> int:
    return len(record.value or b"")
