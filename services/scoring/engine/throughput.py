"""How fast batches are computed of late: what refusals and their retry hints go by."""

import statistics
from collections import deque

# Batches whose seconds per pair count; fewer than the first number tell nothing yet.
_FEWEST_BATCHES, _MOST_BATCHES = 3, 9
# How much the newest batch counts in the speed in tokens.
_SPEED_WEIGHT = 0.2


class ThroughputMeter:
    """Measures the model thread's throughput; used by that thread alone.

    Attributes:
        tokens_per_second: of the forward passes, smoothed; 0 before the first.
        seconds_per_pair: from one batch to the next while pairs wait; 0 until it is known.
    """

    def __init__(self) -> None:
        self.tokens_per_second = 0.0
        self.seconds_per_pair = 0.0
        self._last_ended_at = 0.0
        self._paces: deque[float] = deque(maxlen=_MOST_BATCHES)

    def note_batch(
        self,
        num_pairs: int,
        num_tokens: int,
        forward_seconds: float,
        accepted_at: float,
        started_at: float,
        ended_at: float,
    ) -> None:
        """Takes note of a computed batch.

        Args:
            accepted_at: when its oldest pair was accepted; as the others in ``time.monotonic()`` seconds.
            started_at: when it was taken from the queue.
        """
        speed = num_tokens / max(forward_seconds, 1e-6)
        self.tokens_per_second += _SPEED_WEIGHT * (speed - self.tokens_per_second)
        # Pairs that waited for the batch before waited, too, for all that lay between the two.
        is_backlog = accepted_at < self._last_ended_at
        self._paces.append((ended_at - (self._last_ended_at if is_backlog else started_at)) / num_pairs)
        self._last_ended_at = ended_at
        # The median: one batch that something else held up must not turn callers away.
        if len(self._paces) >= _FEWEST_BATCHES:
            self.seconds_per_pair = statistics.median(self._paces)
