"""The pieces below the worker, against a real broker."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from services.contracts.errors import SettingsInvalid
from services.contracts.topics import APPLICATION_SUBMITTED, TOPICS
from services.devkit.embedded_broker import EmbeddedBroker
from services.events.kafka_client import _new_topic, create_topics, publish, start_producer
from services.process.settings import Settings
from services.scoring_worker.intake.delivery_check import DeliveryCheck, RecordsSkipped
from tests.doubles.kafka_desk import KafkaDesk

START_BROKER_AND_SLEEP = """
import time
from services.devkit.embedded_broker import EmbeddedBroker
with EmbeddedBroker() as broker:
    print(broker.port, flush=True)
    time.sleep(60)
"""


async def test_creating_topics_again_changes_nothing(settings: Settings) -> None:
    await create_topics(settings)
    await create_topics(settings)

    producer = await start_producer(settings)
    for topic in TOPICS:
        await publish(producer, topic.name, key=b"k", value=b"", headers=[])
    await producer.stop()


def test_a_taken_port_names_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        broker = EmbeddedBroker(port=taken.getsockname()[1])

        with pytest.raises(SettingsInvalid, match="SCORER_BROKER_PORT"):
            broker.start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_the_broker_does_not_outlive_a_killed_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", START_BROKER_AND_SLEEP], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    port = int(parent.stdout.readline())

    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()

    deadline = time.monotonic() + 5
    while _is_open(port):
        assert time.monotonic() < deadline
        time.sleep(0.05)


async def test_a_jump_over_records_that_exist_is_an_error(settings: Settings, desk: KafkaDesk) -> None:
    for number in range(5):
        await desk.apply(f"a-{number}", "job")
    await desk.flush()
    (partition,) = {
        r.partition for r in await desk.read(APPLICATION_SUBMITTED, lambda found: len(found) == 5)
    }

    async with DeliveryCheck(settings, APPLICATION_SUBMITTED) as check:
        assert await check.committed_offset(partition) == 0
        await check.check(partition, 3, 3)
        with pytest.raises(RecordsSkipped):
            await check.check(partition, 1, 3)


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_every_topic_that_deletes_states_how_long_it_keeps_records() -> None:
    for spec in TOPICS:
        days = _new_topic(spec, Settings()).topic_configs.get("retention.ms")
        assert ("delete" in spec.cleanup_policy) == (days is not None)
    application = next(spec for spec in TOPICS if spec.name == APPLICATION_SUBMITTED)
    assert _new_topic(application, Settings()).topic_configs["retention.ms"] == "604800000"
