"""Applications that came before their job."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from services.service_kit.event_codec import SourceRecord

# Waiting records stay in memory, and a resume may be 256 KiB.
MAX_WAITING_BYTES = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class _Waiting:
    record: SourceRecord
    job_id: str
    until_seconds: float


class WaitingRoom:
    """Holds applications until their job is posted, for a bounded time and in bounded number.

    Times are those of one monotonic clock, in seconds. Whoever waits longest leaves first.
    """

    def __init__(self, wait_seconds: float, max_waiting: int, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._wait_seconds = wait_seconds
        self._max_waiting = max_waiting
        self._max_bytes = max_bytes
        self._num_bytes = 0
        self._waiting: OrderedDict[tuple[int, int], _Waiting] = OrderedDict()
        self._by_job: defaultdict[str, dict[tuple[int, int], None]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, place: tuple[int, int]) -> bool:
        return place in self._waiting

    def enter(self, record: SourceRecord, job_id: str, now: float) -> list[SourceRecord]:
        """Lets an application wait.

        Returns:
            Those that must leave without their job because the room is full.
        """
        place = record.place
        self._waiting[place] = _Waiting(record, job_id, now + self._wait_seconds)
        self._by_job[job_id][place] = None
        self._num_bytes += _size(record)
        evicted = []
        while len(self._waiting) > self._max_waiting or self._num_bytes > self._max_bytes:
            evicted.append(self._leave(next(iter(self._waiting))))
        return evicted

    def release(self, job_id: str) -> list[SourceRecord]:
        """Returns the applications of a job that has come, in the order of their coming."""
        return [self._leave(place) for place in list(self._by_job.get(job_id, ()))]

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
        for place in [place for place, each in self._waiting.items() if is_unwanted(each.record)]:
            self._leave(place)

    def _leave(self, place: tuple[int, int]) -> SourceRecord:
        left = self._waiting.pop(place)
        of_job = self._by_job[left.job_id]
        del of_job[place]
        if not of_job:
            del self._by_job[left.job_id]
        self._num_bytes -= _size(left.record)
        return left.record


def _size(record: SourceRecord) -> int:
    return len(record.value or b"")
