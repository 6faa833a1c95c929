"""What ``up`` and ``demo`` share: a broker, free ports, services as children, and waiting for them."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp

from services.contracts.errors import ScorerError
from services.devkit.console import say
from services.devkit.embedded_broker import EmbeddedBroker
from services.process.settings import Settings, variable_of
from services.scoring.model.loading.base_model import resolve_folder

# Loading two models at once on two slow cores, with room to spare.
READY_SECONDS = 240.0
SCORING_PORTS = ("worker_metrics_port", "api_metrics_port")
_OWN_PORTS = ("grpc_port", *SCORING_PORTS, "trainer_metrics_port")
_POLL_SECONDS = 0.25


class ServicesFailed(ScorerError):
    """The services did not become ready or did not do in time what was asked of them."""


def prepare_model(settings: Settings) -> None:
    """Converts the base model before the services start, so that none waits for another's conversion."""
    spec = settings
    if not spec.base_model.startswith("random:"):
        resolve_folder(spec, say)


def with_free_ports(settings: Settings) -> Settings:
    """Moves ports that nobody asked for out of the way of what already listens."""
    moved = {
        name: _free_port(settings.grpc_host)
        for name in _OWN_PORTS
        if name not in settings.model_fields_set and not _is_free(settings.grpc_host, getattr(settings, name))
    }
    return settings.model_copy(update=moved)


@contextmanager
def embedded_broker(settings: Settings) -> Iterator[Settings]:
    """Runs a broker for the length of a block and yields the settings with its address."""
    port = settings.broker_port
    if "broker_port" not in settings.model_fields_set and not _is_free(settings.broker_host, port):
        port = 0
    with EmbeddedBroker(settings.broker_host, port) as broker:
        yield settings.model_copy(update={"kafka_bootstrap_servers": broker.bootstrap_servers})


def child_environment(settings: Settings, changed: Collection[str] = ()) -> dict[str, str]:
    """Returns the environment of a service.

    Args:
        changed: further fields that differ from the parent's environment and file.
    """
    chosen = {
        "log_format": "console",
        **{name: str(getattr(settings, name)) for name in ("kafka_bootstrap_servers", *_OWN_PORTS, *changed)},
    }
    return {**os.environ, **{variable_of(name): value for name, value in chosen.items()}}


async def first_of(*works: Any) -> None:
    """Waits for the first to end, gives the others up, and raises what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for task in done:
        task.result()


async def until_ready(settings: Settings, port_settings: Collection[str] = SCORING_PORTS) -> None:
    """Waits until every service says on its metrics port that it is ready.

    Args:
        port_settings: the settings fields of the ports.

    Raises:
        ServicesFailed: one did not, in time.
    """
    try:
        async with asyncio.timeout(READY_SECONDS):
            await asyncio.gather(*(_until_ready(settings, name) for name in port_settings))
    except TimeoutError as error:
        raise ServicesFailed(f"the services were not ready after {READY_SECONDS:.0f} s") from error


async def _until_ready(settings: Settings, port_setting: str) -> None:
    url = f"http://{settings.metrics_host}:{getattr(settings, port_setting)}/readyz"
    async with aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(_POLL_SECONDS)


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
