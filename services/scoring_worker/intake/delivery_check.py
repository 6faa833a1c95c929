"""Proves that Faust delivered every record: a second opinion on every jump in the offsets.

Offsets may jump for good reasons (transaction markers, retention). Faust drops what it has
fetched at a rebalance and relies on seeking back; should that ever fail, records would be
skipped without a trace. So a jump is believed only if a plain read at the same place sees it too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TypeVar

from services.contracts.errors import ScorerError
from services.events.kafka_client import is_retriable, open_admin, open_consumer
from services.events.kafka_types import AdminClient, KafkaError, TopicPartition
from services.process.logging import get_logger
from services.process.settings import WorkerSettings

log = get_logger(__name__)

Answer = TypeVar("Answer")
PAUSE_SECONDS = 1.0


class RecordsSkipped(ScorerError):
    """Records that exist were not delivered; a restart reads them again from the committed offset."""


class DeliveryCheck:
    """Looks at jumps in the offsets of one topic, while the context lasts."""

    def __init__(self, settings: WorkerSettings, topic: str) -> None:
        self._settings = settings
        self._topic = topic
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> "DeliveryCheck":
        self._admin: AdminClient = await self._opened.enter_async_context(open_admin(self._settings))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    async def committed_offset(self, partition: int) -> int:
        """Returns where the worker's group must go on reading; 0 where it never committed.

        Waits while Kafka is away.
        """
        return (await _patiently(lambda: self.committed_offsets([partition])))[partition]

    async def committed_offsets(self, partitions: Sequence[int]) -> dict[int, int]:
        """Returns the same for several partitions, asked once.

        Raises:
            KafkaError: no answer.
        """
        chosen = [TopicPartition(self._topic, each) for each in partitions]
        offsets = await self._admin.list_consumer_group_offsets(
            self._settings.worker_group, partitions=chosen
        )
        return {each.partition: max(0, int(offsets[each].offset)) for each in chosen}

    async def has_record_from(self, partition: int, offset: int, seconds: float) -> bool:
        """Returns whether a record at this offset or behind it is read within so many seconds.

        Raises:
            KafkaError: no answer.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._first_offset_from(partition, offset)
        except TimeoutError:
            return False
        return True

    async def check(self, partition: int, expected: int, delivered: int) -> None:
        """Returns if no record exists from ``expected`` up to, but not including, ``delivered``.

        Raises:
            RecordsSkipped: there is one.
        """
        first = await _patiently(lambda: self._first_offset_from(partition, expected))
        if first < delivered:
            raise RecordsSkipped(
                f"partition {partition}: the record at offset {first} was not delivered, {delivered} was"
            )
        log.info("offsets jump", partition=partition, expected=expected, delivered=delivered)

    async def _first_offset_from(self, partition: int, offset: int) -> int:
        source = TopicPartition(self._topic, partition)
        async with open_consumer(self._settings) as consumer:
            consumer.assign([source])
            consumer.seek(source, offset)
            record = await consumer.getone()
            return int(record.offset)


async def _patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not is_retriable(error):
                raise
            log.warning("Kafka does not answer, asking again", error=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
