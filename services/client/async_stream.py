"""A stream's pairs between the caller and gRPC, on one event loop."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator

from services.client.requests import Pair
from services.client.stream_flow import StreamFlow
from services.pb.scoring.v1.scoring_service_pb2 import StreamScoresRequest, StreamScoresResponse


class AsyncStream:
    """Lets tasks wait for a ``StreamFlow``; otherwise as ``BlockingStream``, with a task for the source."""

    def __init__(self, pairs: AsyncIterable[Pair], flow: StreamFlow) -> None:
        self._pairs = pairs
        self._flow = flow
        self._changed = asyncio.Condition()
        self._reading: asyncio.Task[None] | None = None

    async def requests(self) -> AsyncIterator[StreamScoresRequest]:
        """Yields what to send, until every pair has its answer or the stream is closed."""
        self._reading = asyncio.create_task(self._read())
        while (request := await self._next()) is not None:
            yield request

    async def settle(self, answer: StreamScoresResponse) -> bool:
        """See ``StreamFlow.settle``."""
        async with self._changed:
            is_final = self._flow.settle(answer, time.monotonic())
            self._changed.notify_all()
        return is_final

    async def close(self) -> None:
        """Ends the tasks; a source that waits is cancelled."""
        self._flow.close()
        if self._reading is not None:
            self._reading.cancel()
        async with self._changed:
            self._changed.notify_all()

    async def _next(self) -> StreamScoresRequest | None:
        async with self._changed:
            while not self._flow.is_over:
                request = self._flow.take(time.monotonic())
                if request is not None:
                    self._changed.notify_all()
                    return request
                try:
                    async with asyncio.timeout(self._flow.seconds_to_wait(time.monotonic())):
                        await self._changed.wait()
                except TimeoutError:
                    pass
        return None

    async def _read(self) -> None:
        failure: Exception | None = None
        try:
            async for pair in self._pairs:
                async with self._changed:
                    await self._changed.wait_for(lambda: self._flow.has_room)
                    self._flow.put(pair)
                    self._changed.notify_all()
        except Exception as error:  # told to the caller, once what was sent is answered
            failure = error
        async with self._changed:
            self._flow.end_source(failure)
            self._changed.notify_all()
