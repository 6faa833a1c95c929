"""How much one caller may ask: a token bucket each."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from services.scoring_api.answers.call_errors import RateExceeded

# A bucket takes 200 bytes; callers without a token are told apart by address, which anyone may have many of.
MAX_BUCKETS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimits:
    """Refuses callers that ask too much; for one event loop.

    Args:
        per_second: pairs and calls that a caller may ask in the long run; 0 is no limit.
        burst: how many it may ask at once.
        clock: seconds that only rise.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, caller: str, num: int = 1) -> None:
        """Charges a caller; a large ranking may overdraw, and is then paid for by waiting.

        Raises:
            RateExceeded: the caller must wait; nothing was charged.
        """
        if not self._per_second:
            return
        now = self._clock()
        bucket = self._buckets.pop(caller, None) or _Bucket(self._burst, now)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled_at) * self._per_second)
        bucket.filled_at = now
        self._buckets[caller] = bucket  # last in line, so that the one longest unused goes first
        if len(self._buckets) > MAX_BUCKETS:
            del self._buckets[next(iter(self._buckets))]
        if bucket.tokens < 1:
            raise RateExceeded((1 - bucket.tokens) / self._per_second)
        bucket.tokens -= num
