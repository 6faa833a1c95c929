"""A broker for each test: the embedded one, or that of SCORER_KAFKA_BOOTSTRAP_SERVERS."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from services.devkit.embedded_broker import EmbeddedBroker
from services.events.kafka_client import create_topics
from services.process.settings import Settings, load_settings
from tests.integration.kafka_desk import KafkaDesk

BOOTSTRAP_SERVERS = "SCORER_KAFKA_BOOTSTRAP_SERVERS"


@pytest.fixture
def bootstrap_servers() -> Iterator[str]:
    if os.environ.get(BOOTSTRAP_SERVERS):
        yield os.environ[BOOTSTRAP_SERVERS]
        return
    with EmbeddedBroker() as broker:
        yield broker.bootstrap_servers


@pytest.fixture
def settings(bootstrap_servers: str) -> Settings:
    return load_settings(
        kafka_bootstrap_servers=bootstrap_servers,
        kafka_session_timeout_seconds=2.0,
        kafka_num_partitions=4,
        worker_group=f"test-{uuid.uuid4()}",
        worker_job_wait_seconds=1.5,
        worker_metrics_port=0,
    )


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[KafkaDesk]:
    await create_topics(settings)
    async with KafkaDesk(settings) as desk:
        yield desk
