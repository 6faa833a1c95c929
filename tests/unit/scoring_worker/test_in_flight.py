"""Slots are given back and partitions let go, whatever moment a task is cut short in."""

import asyncio

from services.scoring_worker.in_flight import InFlight


class Desk:
    """What is in flight, with work that ends when the test says so."""

    def __init__(self, max_slots: int = 1) -> None:
        self.go_on = asyncio.Event()
        self.failures: list[BaseException] = []
        self.ended: list[int] = []
        self.in_flight = InFlight(max_slots, lambda _: None, self.failures.append)

    async def take(self, offset: int) -> bool:
        if not await self.in_flight.reserve(partition=0):
            return False
        self.in_flight.start_reserved((0, offset), lambda: self._work(offset))
        return True

    async def _work(self, offset: int) -> None:
        await self.go_on.wait()
        self.ended.append(offset)


async def test_a_task_that_is_let_go_before_its_first_step_gives_its_slot_back() -> None:
    desk = Desk()
    await desk.take(0)
    await desk.in_flight.let_go({0})  # the task has not run yet

    async with asyncio.timeout(1):
        assert await desk.take(1)
    desk.go_on.set()
    await desk.in_flight.drain()
    assert desk.ended == [1]


async def test_what_waits_for_a_slot_while_its_partition_is_let_go_is_not_taken() -> None:
    desk = Desk()
    await desk.take(0)
    waiting = asyncio.create_task(desk.take(1))
    await asyncio.sleep(0)

    await desk.in_flight.let_go({0})

    assert not await waiting
    assert await desk.take(1)


async def test_work_in_turn_waits_for_a_slot_and_gives_it_back() -> None:
    desk = Desk()
    await desk.take(0)
    desk.in_flight.start_in_turn((0, 1), lambda: desk._work(1))
    desk.in_flight.start_in_turn((0, 2), lambda: desk._work(2))
    await desk.in_flight.let_go({1})
    assert len(desk.in_flight) == 3

    desk.go_on.set()
    await desk.in_flight.drain()
    assert desk.ended == [0, 1, 2]
    assert not await desk.take(3)


async def test_what_is_being_published_is_waited_for() -> None:
    desk = Desk()
    await desk.take(0)
    await asyncio.sleep(0)
    with desk.in_flight.publishing((0, 0)):
        letting_go = asyncio.create_task(desk.in_flight.let_go({0}))
        await asyncio.sleep(0.01)
        assert not letting_go.done()
        desk.go_on.set()
        await letting_go
    assert desk.ended == [0]
