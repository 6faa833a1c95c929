"""Labels through the real publisher: to a broker, and while there is none."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from aiokafka import AIOKafkaConsumer

from services.contracts.topics import SCORE_LABELLED
from services.devkit.embedded_broker import EmbeddedBroker
from services.events.kafka_client import create_topics
from services.events.wire.event_codec import decode_event
from services.pb.scoring.v1.events_pb2 import ScoreLabelled
from services.process.settings import Settings
from services.scoring_api.answers.call_errors import LabelNotPublished
from services.scoring_api.calls.kafka_label_publisher import KafkaLabelPublisher

LABEL = ScoreLabelled(application_id="a-1", score=72.5, rater="rater-9", reasoning="Solid, but no Kafka.")


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


@pytest.fixture
async def publisher(broker: EmbeddedBroker) -> AsyncIterator[KafkaLabelPublisher]:
    settings = Settings(kafka_bootstrap_servers=broker.bootstrap_servers)
    await create_topics(settings)
    publisher = KafkaLabelPublisher(settings)
    yield publisher
    await publisher.close()


async def test_a_label_stands_where_the_answer_says(
    broker: EmbeddedBroker, publisher: KafkaLabelPublisher
) -> None:
    position = await publisher.publish(LABEL)

    async with AIOKafkaConsumer(
        SCORE_LABELLED, bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest"
    ) as consumer:
        record = await asyncio.wait_for(consumer.getone(), 10)
    assert (record.partition, record.offset) == (position.partition, position.offset)
    assert record.key == b"a-1"
    assert decode_event(record.value, record.headers, ScoreLabelled) == LABEL
    assert dict(record.headers)["ce_type"] == SCORE_LABELLED.encode()


async def test_concurrent_labels_share_one_connection(publisher: KafkaLabelPublisher) -> None:
    positions = await asyncio.gather(*(publisher.publish(LABEL) for _ in range(50)))

    assert len(set(positions)) == 50


async def test_without_kafka_a_label_is_refused_within_the_timeout() -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody_listens.getsockname()[1]}"
        publisher = KafkaLabelPublisher(Settings(kafka_bootstrap_servers=address), timeout_seconds=2)

        with pytest.raises(LabelNotPublished):
            await asyncio.wait_for(publisher.publish(LABEL), 5)

        await publisher.close()


async def test_a_label_gets_through_once_kafka_is_there() -> None:
    with EmbeddedBroker() as broker:
        port = broker.port
    publisher = KafkaLabelPublisher(Settings(kafka_bootstrap_servers=f"127.0.0.1:{port}"), timeout_seconds=5)
    with pytest.raises(LabelNotPublished):
        await publisher.publish(LABEL)

    with EmbeddedBroker(port=port):
        await create_topics(Settings(kafka_bootstrap_servers=f"127.0.0.1:{port}"))
        position = await publisher.publish(LABEL)
        await publisher.close()

    assert position.offset == 0


async def test_a_publisher_that_published_nothing_closes_at_once() -> None:
    await KafkaLabelPublisher(Settings()).close()
