"""What one stream sends next: pairs of its source, and again those that the server had no room for.

Pure: it is told the time, and who calls it holds a lock. ``sync_stream`` and ``async_stream`` wait for it.
"""

import heapq
from dataclasses import dataclass

from services.client.call_budget import jittered
from services.client.requests import Pair, check_size
from services.pb.scoring.v1.scoring_service_pb2 import StreamScoresRequest, StreamScoresResponse

# Twice what the server has in flight of one stream, so that it never waits for the next pair.
MAX_UNANSWERED = 128
# A pair that is refused again and again doubles its pause up to this, or the server's hint if that is longer.
MAX_PAUSE_SECONDS = 30.0


@dataclass(slots=True)
class _OpenPair:
    request: StreamScoresRequest
    num_attempts: int = 1


class StreamFlow:
    """The pairs of one stream between their source and their answer.

    At most ``MAX_UNANSWERED`` are held, and one more that was read. An answer names its pair by the
    application's id alone, so a second pair of the same id waits for the answer of the first.

    Args:
        max_attempts: how often one pair is sent at most.
        ends_at: when the stream's time is over, on the clock of ``now``; None: never.

    Attributes:
        failure: what the source raised. The stream then ends in order; gRPC would only log it, and cancel
            what is in flight.
    """

    def __init__(self, max_attempts: int, ends_at: float | None = None) -> None:
        self._max_attempts = max_attempts
        self._ends_at = ends_at
        self._open: dict[str, _OpenPair] = {}
        self._refused: list[tuple[float, str]] = []  # a heap: when to send which id again
        self._quiet_until = 0.0
        self._read: StreamScoresRequest | None = None
        self._is_source_done = False
        self._is_closed = False
        self.failure: Exception | None = None

    @property
    def has_room(self) -> bool:
        """Returns whether the source is to be read on; not while the pair read last waits."""
        return self._read is None and not self._is_closed

    @property
    def is_closed(self) -> bool:
        """Returns whether the caller has gone, or the stream has ended."""
        return self._is_closed

    @property
    def is_over(self) -> bool:
        """Returns whether there is nothing more to send, whatever comes."""
        is_empty = self._is_source_done and self._read is None and not self._open
        return self._is_closed or is_empty

    def put(self, pair: Pair) -> None:
        """Takes the next pair of the source; there must be room.

        Raises:
            ValueError, TypeError: it holds what no message can.
            RequestTooLarge: its message would end the whole stream.
        """
        request = StreamScoresRequest(request=pair.request())
        check_size(request)
        self._read = request

    def end_source(self, failure: Exception | None = None) -> None:
        """Notes that the source has no more pairs, or failed."""
        self._is_source_done = True
        self.failure = failure

    def close(self) -> None:
        """Ends it: nothing is sent any more."""
        self._is_closed = True

    def take(self, now: float) -> StreamScoresRequest | None:
        """Returns what to send now, refused pairs first; None: nothing at the moment.

        Args:
            now: of a monotonic clock, in seconds.
        """
        if self._refused and self._refused[0][0] <= now:
            return self._open[heapq.heappop(self._refused)[1]].request
        if not self._can_send_new or now < self._quiet_until:
            return None
        request, self._read = self._read, None
        assert request is not None  # noqa: S101  (_can_send_new)
        self._open[request.request.application_id] = _OpenPair(request)
        return request

    def seconds_to_wait(self, now: float) -> float | None:
        """Returns after how long ``take`` will bring something by itself; None: not without news."""
        times = [time for time, _ in self._refused[:1]]
        if self._can_send_new:
            times.append(self._quiet_until)
        return max(0.0, min(times) - now) if times else None

    def settle(self, answer: StreamScoresResponse, now: float) -> bool:
        """Takes an answer.

        Returns:
            Whether it is the pair's last, for the caller; False: the pair will be sent again.
        """
        outcome = answer.error if answer.HasField("error") else answer.result
        pair = self._open.get(outcome.application_id)
        if pair is not None and answer.error.HasField("retry_delay"):
            hint = answer.error.retry_delay.ToMilliseconds() / 1000
            pause = jittered(max(hint, min(hint * 2 ** (pair.num_attempts - 1), MAX_PAUSE_SECONDS)))
            if pair.num_attempts < self._max_attempts and not self._is_late(now + pause):
                pair.num_attempts += 1
                heapq.heappush(self._refused, (now + pause, outcome.application_id))
                # A server without room gets no further pairs meanwhile either.
                self._quiet_until = max(self._quiet_until, now + hint)
                return False
        self._open.pop(outcome.application_id, None)
        return True

    @property
    def _can_send_new(self) -> bool:
        if self._read is None or len(self._open) >= MAX_UNANSWERED:
            return False
        return self._read.request.application_id not in self._open

    def _is_late(self, time: float) -> bool:
        return self._ends_at is not None and time >= self._ends_at
