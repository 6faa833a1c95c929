"""The applications that are being worked on: at most so many at once, each known by its position."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from services.events.wire.event_codec import Position

Work = Callable[[], Coroutine[Any, Any, None]]

# What is being published when its partition goes to another worker has so long to arrive before the other's.
LET_GO_SECONDS = 2.0


class InFlight:
    """Tasks by position, and the slots that bound how many hold the engine or a producer.

    Args:
        max_slots: at most so many have one at once.
        on_changed: told how many there are, slot or not.
        on_failure: told of an error that a task ended with.
    """

    def __init__(
        self,
        max_slots: int,
        on_changed: Callable[[float], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._slots = asyncio.Semaphore(max_slots)
        self._on_changed = on_changed
        self._on_failure = on_failure
        self._tasks: dict[Position, asyncio.Task[None]] = {}
        self._publishing: set[Position] = set()
        self._num_let_go: Counter[int] = Counter()
        self._is_draining = False

    def __contains__(self, position: Position) -> bool:
        return position in self._tasks

    def __len__(self) -> int:
        return len(self._tasks)

    async def reserve(self, partition: int) -> bool:
        """Waits for a slot, for a record of this partition that was delivered just now.

        Returns:
            False where there is none to give: nothing new is taken any more, or the partition was let go
            meanwhile, and whoever reads it now gets the record again.
        """
        num_let_go = self._num_let_go[partition]
        await self._slots.acquire()
        if self._is_draining or self._num_let_go[partition] != num_let_go:
            self._slots.release()
            return False
        return True

    def start(self, position: Position, work: Work) -> None:
        """Starts work that needs no slot."""
        self._start(position, work(), lambda: None)

    def start_reserved(self, position: Position, work: Work) -> None:
        """Starts work that has the slot of a ``reserve``, and gives it back behind it."""
        self._start(position, work(), self._slots.release)

    def start_in_turn(self, position: Position, work: Work) -> None:
        """Starts work as soon as there is a slot."""
        self._start(position, self._run_in_slot(work), lambda: None)

    @contextmanager
    def publishing(self, position: Position) -> Iterator[None]:
        """Encloses what ``let_go`` waits for."""
        self._publishing.add(position)
        try:
            yield
        finally:
            self._publishing.discard(position)

    async def let_go(self, partitions: set[int]) -> None:
        """Cancels the work on partitions that another worker reads from now on, or this one anew.

        What is just being published is waited for, but not for long: a result that comes after the other
        worker's could be an older one. Cancelling costs little: whatever was not computed yet is withdrawn.
        """
        self._num_let_go.update(partitions)
        lost = {position: task for position, task in self._tasks.items() if position[0] in partitions}
        publishing = [task for position, task in lost.items() if position in self._publishing]
        for position in lost.keys() - self._publishing:
            del self._tasks[position]  # at once: it may be delivered again before the task has ended
            lost[position].cancel()
        if publishing:
            await asyncio.wait(publishing, timeout=LET_GO_SECONDS)

    async def drain(self) -> None:
        """Takes nothing more and returns when nothing is in flight."""
        self._is_draining = True
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def abandon(self) -> None:
        """Cancels what is still in flight; it stays undone."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run_in_slot(self, work: Work) -> None:
        async with self._slots:
            await work()

    def _start(self, position: Position, work: Coroutine[Any, Any, None], on_end: Callable[[], None]) -> None:
        task = asyncio.create_task(work)
        self._tasks[position] = task
        self._on_changed(len(self._tasks))
        # Not in the work itself: of a task that is cancelled before its first step nothing runs.
        task.add_done_callback(lambda _: on_end())
        task.add_done_callback(lambda ended: self._end(position, ended))

    def _end(self, position: Position, task: asyncio.Task[None]) -> None:
        if self._tasks.get(position) is task:
            del self._tasks[position]
        self._on_changed(len(self._tasks))
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._on_failure(error)
