"""Services as the real commands start them."""

import os
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from services.events.kafka_client import create_topics
from services.process.settings import Settings, variable_of
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.processes.forked import Forked

# Two processes that load torch and a model at once, on two slow cores.
PATIENCE_SECONDS = 150.0

StartService = Callable[..., Forked]


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[KafkaDesk]:
    await create_topics(settings)
    async with KafkaDesk(settings, PATIENCE_SECONDS) as desk:
        yield desk


@pytest.fixture
def start_service(settings: Settings) -> Iterator[StartService]:
    """Starts ``resume-scorer NAME`` with a tiny float32 Gemma; whatever still runs at the end is killed."""
    running = []

    def start(name: str, **changes: object) -> Forked:
        chosen = {
            "base_model": "random:tiny-gemma-3",
            "dtype": "float32",
            "device": "cpu",
            "kafka_bootstrap_servers": settings.kafka_bootstrap_servers,
            "kafka_session_timeout_seconds": settings.kafka_session_timeout_seconds,
            "worker_group": settings.worker_group,
            "worker_metrics_port": 0,
            "api_metrics_port": 0,
            **changes,
        }
        environment = os.environ | {variable_of(key): str(value) for key, value in chosen.items()}
        running.append(Forked("services.cli", name, environment=environment))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()
