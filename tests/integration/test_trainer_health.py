"""What Prometheus and Kubernetes see of a trainer whose broker falls silent."""

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import aiohttp

from services.service_kit.embedded_broker import EmbeddedBroker
from services.service_kit.kafka_client import create_topics
from services.service_kit.settings import Settings, load_settings
from tests.integration.kafka_desk import KafkaDesk
from tests.integration.trainer_under_test import TrainerDesk, running_trainer, trainer_settings

NOTICE_SECONDS = 30.0
RECOVERY_SECONDS = 60.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        chosen: int = free.getsockname()[1]
        return chosen


async def test_a_trainer_whose_broker_is_silent_says_so_and_recovers(tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        base = load_settings(kafka_bootstrap_servers=broker.bootstrap_servers)
        settings = trainer_settings(base, tmp_path, trainer_metrics_port=free_port())
        assert broker._process is not None
        pid = broker._process.pid
        await create_topics(settings)
        async with KafkaDesk(settings) as desk, running_trainer(settings):
            trainer = TrainerDesk(settings, desk)
            await until(settings, "/readyz", 200, RECOVERY_SECONDS)
            await trainer.send_labels(3)
            await trainer.counts(lambda counts: counts.num_usable == 3)

            os.kill(pid, signal.SIGSTOP)
            try:
                reasons = await until(settings, "/readyz", 503, NOTICE_SECONDS)
                await until(settings, "/livez", 200, NOTICE_SECONDS)  # a restart would not help
            finally:
                os.kill(pid, signal.SIGCONT)

            await until(settings, "/readyz", 200, RECOVERY_SECONDS)
            await trainer.send_labels(2, "afterwards")
            await trainer.counts(lambda counts: counts.num_usable == 5)
            trainer.close()
    assert reasons["checks"] == {"consumer": "failing"}


async def until(settings: Settings, path: str, status: int, seconds: float) -> dict[str, Any]:
    url = f"http://127.0.0.1:{settings.trainer_metrics_port}{path}"
    async with asyncio.timeout(seconds), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url) as answer:
                    if answer.status == status:
                        body: dict[str, Any] = await answer.json()
                        return body
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)
