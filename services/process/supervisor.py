"""Work that goes on until a service is stopped, or until one part of it fails."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any


class Supervisor:
    """Ends what a service waits for when it is stopped or a part of it fails.

    A task group would not do: it takes no notice of a task that a library cancelled, and what calls us back
    out of a library's own tasks has none.

    Args:
        stop: set when the service is to end.
    """

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, error: BaseException) -> None:
        """Ends the service with this error; of several the first counts."""
        if not self._failure.done():
            self._failure.set_exception(error)
            self._failure.exception()  # seen: it may come too late to be raised

    def raise_failure(self) -> None:
        """Raises what ``fail`` was told, if it was."""
        if self._failure.done():
            self._failure.result()

    def in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Starts work whose failure ends the service."""

        def on_end(ended: asyncio.Task[None]) -> None:
            error = None if ended.cancelled() else ended.exception()
            if ended.cancelled() and not ended.cancelling():
                # A library may raise CancelledError on its own: then a follower has ended without a word.
                error = RuntimeError("a task of the service was cut short")
            if error is not None:
                self.fail(error)

        task = asyncio.create_task(work)
        task.add_done_callback(on_end)
        return task

    async def finishes(self, work: Awaitable[Any]) -> bool:
        """Waits for work; returns False if the service is stopped before, raises if a part of it failed."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({working, stopping, self._failure}, return_when=asyncio.FIRST_COMPLETED)
            self.raise_failure()
            if working.done():
                working.result()
                return True
            return False
        finally:
            await cancel(stopping)
            if not working.done():
                await cancel(working)


async def cancel(task: "asyncio.Future[Any]") -> None:
    """Cancels a task and waits for its end, whatever that is."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
