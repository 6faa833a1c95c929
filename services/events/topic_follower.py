"""Follows topics without a consumer group: every partition, from its beginning or where its reader wants."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from services.events.kafka_client import open_consumer
from services.process.logging import get_logger
from services.process.settings import KafkaSettings

log = get_logger(__name__)

POLL_MILLISECONDS = 500
MAX_POLL_RECORDS = 500
RECONNECT_SECONDS = 1.0
LOOK_FOR_PARTITIONS_MILLISECONDS = 10_000

Batches = Mapping[TopicPartition, Sequence["ConsumerRecord[bytes, bytes]"]]


async def _from_the_beginning(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> None:
    await consumer.seek_to_beginning(*partitions)


class TopicFollower:
    """Reads for as long as the process lives, and connects again whenever Kafka was away.

    A connection reads from the beginning unless told otherwise, so what is done with a record must come to
    the same when it is done twice.

    Attributes:
        is_connected: whether Kafka has answered a poll of the present connection.

    Args:
        settings: where Kafka is.
        on_poll: given the consumer and what one poll brought, nothing included; may raise KafkaError.
        on_connected: given a new connection's consumer and partitions, to seek; may raise KafkaError.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topics: Sequence[str],
        on_poll: Callable[[AIOKafkaConsumer, Batches], Awaitable[None]],
        on_connected: Callable[[AIOKafkaConsumer, Sequence[TopicPartition]], Awaitable[None]] = (
            _from_the_beginning
        ),
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._on_poll = on_poll
        self._on_connected = on_connected
        self._is_new_outage = True
        self.is_connected = False

    async def follow(self) -> None:
        """Reads until cancelled.

        Raises:
            what ``on_poll`` and ``on_connected`` raise beside KafkaError.
        """
        while True:
            try:
                await self._follow_connection()
            except KafkaError as error:
                # Once an outage, not once a second of it.
                report = log.warning if self._is_new_outage else log.debug
                report("lost Kafka, reconnecting", topics=list(self._topics), error=type(error).__name__)
                self._is_new_outage = False
            finally:
                self.is_connected = False
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _follow_connection(self) -> None:
        options = {"metadata_max_age_ms": LOOK_FOR_PARTITIONS_MILLISECONDS}
        async with open_consumer(self._settings, **options) as consumer:
            partitions = self._partitions(consumer)
            if not partitions:
                return
            consumer.assign(partitions)
            await self._on_connected(consumer, partitions)
            # A new partition is one more to begin from its start: simplest by connecting again.
            while self._partitions(consumer) == partitions:
                batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=MAX_POLL_RECORDS)
                self.is_connected = self._is_new_outage = True
                await self._on_poll(consumer, batches)

    def _partitions(self, consumer: AIOKafkaConsumer) -> list[TopicPartition]:
        return [
            TopicPartition(topic, number)
            for topic in self._topics
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
