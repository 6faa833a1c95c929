import asyncio
import socket

from prometheus_client import CollectorRegistry

from services.process.health_check import is_any_ready, ports_of
from services.process.health_server import HealthServer
from services.process.settings import Settings


async def ask(is_ready: bool) -> bool:
    settings = Settings(worker_metrics_port=0)
    checks = {"model": lambda: is_ready}
    async with HealthServer(
        settings, "worker_metrics_port", CollectorRegistry(), live={}, ready=checks
    ) as server:
        return await asyncio.to_thread(is_any_ready, [closed_port(), server.port])


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


async def test_one_ready_process_is_enough() -> None:
    assert await ask(is_ready=True)


async def test_a_process_that_is_not_ready_is_not_well() -> None:
    assert not await ask(is_ready=False)


def test_nobody_there_is_not_well() -> None:
    assert not is_any_ready([closed_port()])


def test_all_three_services_are_asked() -> None:
    assert ports_of(Settings()) == [9101, 9102, 9103]
