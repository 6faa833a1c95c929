"""Watchers are told of changes, and one that takes no answer holds nobody up."""

import asyncio
from typing import Any

from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse, HealthListRequest

from services.scoring_api.calls.health_service import ServerHealth

SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING


class Client:
    """What a watcher got; it takes nothing while ``takes`` is not set."""

    def __init__(self) -> None:
        self.takes = asyncio.Event()
        self.told: list[int] = []

    async def write(self, answer: HealthCheckResponse) -> None:
        await self.takes.wait()
        self.told.append(answer.status)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_takes_no_answer_holds_up_neither_the_change_nor_the_others() -> None:
    health, stuck, attentive = ServerHealth(["a.Service"]), Client(), Client()
    attentive.takes.set()
    watches = [
        asyncio.create_task(health.Watch(HealthCheckRequest(service="a.Service"), client))  # type: ignore[arg-type]
        for client in (stuck, attentive)
    ]
    await settle()

    health.set_serving(True)
    await settle()
    health.set_serving(False)
    await settle()

    assert attentive.told == [NOT_SERVING, SERVING, NOT_SERVING]
    stuck.takes.set()
    await settle()
    assert stuck.told == [NOT_SERVING]
    for watch in watches:
        watch.cancel()


async def test_every_service_is_listed_and_the_whole_server() -> None:
    health, context = ServerHealth(["a.Service"]), Any
    health.set_serving(True)

    listed = await health.List(HealthListRequest(), context)  # type: ignore[arg-type]

    assert {name: each.status for name, each in listed.statuses.items()} == {
        "": SERVING,
        "a.Service": SERVING,
    }
