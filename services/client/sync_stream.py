"""A stream's pairs between the caller's threads and gRPC's."""

import threading
import time
from collections.abc import Iterable, Iterator

from services.client.requests import Pair
from services.client.stream_flow import StreamFlow
from services.pb.scoring.v1.scoring_service_pb2 import StreamScoresRequest, StreamScoresResponse


class BlockingStream:
    """Lets threads wait for a ``StreamFlow``.

    The source has a thread of its own: one that waits for an answer before it gives the next pair must not
    hold up the pair that has to be sent again for that answer.
    """

    def __init__(self, pairs: Iterable[Pair], flow: StreamFlow) -> None:
        self._pairs = pairs
        self._flow = flow
        self._changed = threading.Condition()

    def requests(self) -> Iterator[StreamScoresRequest]:
        """Yields what to send, until every pair has its answer or the stream is closed."""
        threading.Thread(target=self._read, name="scoring-stream-source", daemon=True).start()
        while (request := self._next()) is not None:
            yield request

    def settle(self, answer: StreamScoresResponse) -> bool:
        """See ``StreamFlow.settle``."""
        with self._changed:
            is_final = self._flow.settle(answer, time.monotonic())
            self._changed.notify_all()
        return is_final

    def close(self) -> None:
        """Ends the threads, the source's once it gives its next pair."""
        with self._changed:
            self._flow.close()
            self._changed.notify_all()

    def _next(self) -> StreamScoresRequest | None:
        with self._changed:
            while not self._flow.is_over:
                request = self._flow.take(time.monotonic())
                if request is not None:
                    self._changed.notify_all()
                    return request
                self._changed.wait(self._flow.seconds_to_wait(time.monotonic()))
        return None

    def _read(self) -> None:
        failure: Exception | None = None
        try:
            for pair in self._pairs:
                with self._changed:
                    self._changed.wait_for(lambda: self._flow.has_room or self._flow.is_closed)
                    if self._flow.is_closed:
                        return
                    self._flow.put(pair)
                    self._changed.notify_all()
        except Exception as error:  # told to the caller in the caller's own thread
            failure = error
        with self._changed:
            self._flow.end_source(failure)
            self._changed.notify_all()
