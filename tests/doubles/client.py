"""Both clients behind one face, so that every test runs with each."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from services.client import AsyncScoringClient, ClientOptions, Pair, ScoringClient

PLAINTEXT = ClientOptions(is_plaintext=True, timeout_seconds=10)


class _InThread:
    """Makes the blocking client awaitable; the server needs this thread's event loop."""

    def __init__(self, client: ScoringClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return lambda *arguments, **named: asyncio.to_thread(method, *arguments, **named)

    async def stream(self, pairs: AsyncIterator[Pair], **options: Any) -> AsyncIterator[Any]:
        loop = asyncio.get_running_loop()

        def blocking() -> Iterator[Pair]:
            while True:
                try:
                    yield asyncio.run_coroutine_threadsafe(anext(pairs), loop).result()  # type: ignore[arg-type]
                except StopAsyncIteration:
                    return

        answers = self._client.stream(blocking(), **options)
        try:
            while (answer := await asyncio.to_thread(next, answers, None)) is not None:
                yield answer
        finally:
            answers.close()  # type: ignore[attr-defined]


@asynccontextmanager
async def open_client(kind: str, target: str, options: ClientOptions = PLAINTEXT) -> AsyncIterator[Any]:
    """Opens a client of kind ``sync`` or ``asyncio``."""
    if kind == "asyncio":
        async with AsyncScoringClient(target, options) as client:
            yield client
    else:
        with ScoringClient(target, options) as blocking:
            yield _InThread(blocking)
