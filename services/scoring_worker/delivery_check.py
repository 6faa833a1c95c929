"""Proves that Faust delivered every record: a second opinion on every jump in the offsets.

Offsets may jump for good reasons (transaction markers, retention). Faust drops what it has
fetched at a rebalance and relies on seeking back; should that ever fail, records would be
skipped without a trace. So a jump is believed only if a plain read at the same place sees it too.
"""

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.contracts.errors import ScorerError
from services.service_kit.kafka_client import client_options
from services.service_kit.logging import get_logger
from services.service_kit.settings import Settings

log = get_logger(__name__)


class RecordsSkipped(ScorerError):
    """Records that exist were not delivered; a restart reads them again from the committed offset."""


class DeliveryCheck:
    """Looks at jumps in the offsets of one topic, while the context lasts."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._settings = settings
        self._topic = topic
        self._admin = AIOKafkaAdminClient(**client_options(settings))

    async def __aenter__(self) -> "DeliveryCheck":
        await self._admin.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()

    async def committed_offset(self, partition: int) -> int:
        """Returns where the worker's group must go on reading; 0 where it never committed."""
        place = TopicPartition(self._topic, partition)
        offsets = await self._admin.list_consumer_group_offsets(
            self._settings.worker_group, partitions=[place]
        )
        return max(0, int(offsets[place].offset))

    async def check(self, partition: int, expected: int, delivered: int) -> None:
        """Returns if no record exists from ``expected`` up to, but not including, ``delivered``.

        Raises:
            RecordsSkipped: there is one.
        """
        first = await self._first_offset_from(partition, expected)
        if first < delivered:
            raise RecordsSkipped(
                f"partition {partition}: the record at offset {first} was not delivered, {delivered} was"
            )
        log.info("offsets jump", partition=partition, expected=expected, delivered=delivered)

    async def _first_offset_from(self, partition: int, offset: int) -> int:
        place = TopicPartition(self._topic, partition)
        consumer = AIOKafkaConsumer(
            **client_options(self._settings), enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            consumer.assign([place])
            consumer.seek(place, offset)
            record = await consumer.getone()
            return int(record.offset)
        finally:
            await consumer.stop()
