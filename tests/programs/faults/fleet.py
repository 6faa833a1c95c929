"""Services as their commands run them, started in a moment."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from services.process.settings import Settings, variable_of
from tests.doubles.ports import free_port
from tests.doubles.processes.forked import Forked
from tests.programs.resident_memory import resident_bytes

FAKE_SECONDS_PER_SCORE = 0.2
PORT_SETTINGS = {
    "worker": "worker_metrics_port",
    "api": "api_metrics_port",
    "trainer": "trainer_metrics_port",
}
START_SECONDS = 120.0
POLL_SECONDS = 0.1
ASK_SECONDS = 5.0


class Service:
    """One process of ours.

    Args:
        is_model_real: whether it loads the tiny Gemma; a worker can do without.

    Attributes:
        name: ``worker``, ``api`` or ``trainer``.
        http_port: of /livez and /readyz.
        log_file: what it wrote.
    """

    def __init__(
        self, name: str, settings: dict[str, object], log_file: Path, *, is_model_real: bool
    ) -> None:
        self.name = name
        self.http_port = free_port()
        self.log_file = log_file
        chosen = settings | {PORT_SETTINGS[name]: self.http_port}
        variables = {variable_of(key): str(value) for key, value in chosen.items()}
        command = ("services.cli", name)
        if name == "worker" and not is_model_real:
            command = ("tests.doubles.processes.worker_runner", str(FAKE_SECONDS_PER_SCORE))
        self.process = Forked(*command, environment=os.environ | variables, log_file=log_file)

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def send(self, sent: signal.Signals) -> None:
        self.process.send_signal(sent)

    async def exit_code(self, seconds: float) -> int | None:
        """Returns how it ended, or None if it still runs after so long."""
        return await asyncio.to_thread(self.process.wait, seconds)

    async def ask(self, path: str) -> tuple[int, dict[str, Any]]:
        """Returns status and body of a health path; 0 where nobody answers."""
        async with httpx.AsyncClient(timeout=ASK_SECONDS) as client:
            try:
                answer = await client.get(f"http://127.0.0.1:{self.http_port}{path}")
            except httpx.HTTPError:
                return 0, {}
        return answer.status_code, answer.json()

    async def until(self, path: str, is_met: Callable[[int], bool], seconds: float = START_SECONDS) -> float:
        """Waits for the status of a health path; returns how long that took, in seconds."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if is_met((await self.ask(path))[0]):
                return time.monotonic() - started
            assert self.is_alive, f"{self.name} ended: {self.tail()}"
            await asyncio.sleep(POLL_SECONDS)
        raise TimeoutError(f"{self.name}: {path} is {await self.ask(path)} after {seconds} s; {self.tail()}")

    async def until_ready(self) -> None:
        await self.until("/readyz", lambda status: status == 200)

    def resident_bytes(self) -> int:
        """Returns the memory that the process holds now."""
        return resident_bytes(self.process.pid)

    def tail(self, num_characters: int = 1500) -> str:
        return self.log_file.read_text(errors="replace")[-num_characters:]


class Fleet:
    """Starts services on one broker and ends them all.

    Args:
        settings: of broker and group.
        folder: for logs and everything that the services keep.
        is_model_real: whether workers load the tiny Gemma, or answer without any model.
        changes: settings of every service.
    """

    def __init__(
        self, settings: Settings, folder: Path, *, is_model_real: bool = True, **changes: object
    ) -> None:
        self._is_model_real = is_model_real
        self.folder = folder
        self.services: list[Service] = []
        self._settings: dict[str, object] = {
            "base_model": "random:tiny-gemma-3",
            "adapter": "none",
            "dtype": "float32",
            "device": "cpu",
            "kafka_bootstrap_servers": settings.kafka_bootstrap_servers,
            "kafka_session_timeout_seconds": settings.kafka_session_timeout_seconds,
            "worker_group": settings.worker_group,
            "adapter_store": folder / "adapters",
            "trainer_dir": folder / "trainer",
            **changes,
        }

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *_: object) -> None:
        for service in self.services:
            if service.is_alive:
                service.process.kill()
            service.process.wait()

    def start(self, name: str, **changes: object) -> Service:
        log_file = self.folder / f"{name}-{len(self.services)}.log"
        chosen = self._settings | changes
        self.services.append(Service(name, chosen, log_file, is_model_real=self._is_model_real))
        return self.services[-1]

    def alive(self, name: str) -> list[Service]:
        return [service for service in self.services if service.name == name and service.is_alive]

    def crashed(self) -> list[str]:
        """Returns the last words of services that ended with an error of their own."""
        ended = [service for service in self.services if not service.is_alive]
        return [service.tail() for service in ended if service.process.poll() not in (0, -signal.SIGKILL)]
