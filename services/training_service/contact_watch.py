"""Tells whether Kafka still answers the trainer.

A consumer does not: from a broker that takes connections and says nothing it fetches no records, and neither
from one that has none.
"""

import asyncio
import time

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.contracts.topics import SCORE_LABELLED
from services.events.kafka_client import open_consumer
from services.process.logging import get_logger
from services.process.settings import Settings

log = get_logger(__name__)

LOOK_SECONDS = 2.0
ANSWER_SECONDS = 4.0
SILENCE_SECONDS = 6.0  # without an answer for longer, the trainer is not ready; as the worker


class ContactWatch:
    """Asks Kafka a small question every few seconds, over a connection of its own.

    Args:
        settings: where Kafka is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._answered_at: float | None = None
        self._was_in_contact = False

    def is_in_contact(self) -> bool:
        """Returns whether Kafka has answered within the last seconds."""
        return self._answered_at is not None and time.monotonic() - self._answered_at < SILENCE_SECONDS

    async def watch(self) -> None:
        """Asks until cancelled; says so in the log when contact comes and goes."""
        while True:
            try:
                await self._ask_while_answered()
            except (KafkaError, OSError):  # TimeoutError is an OSError
                self._tell_changes()
            await asyncio.sleep(LOOK_SECONDS)

    async def _ask_while_answered(self) -> None:
        # A new connection after each silence: an old one may be dead without a word.
        options = {"request_timeout_ms": round(ANSWER_SECONDS * 1000)}
        async with open_consumer(self._settings, **options) as consumer:
            while True:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await consumer.end_offsets([TopicPartition(SCORE_LABELLED, 0)])
                self._answered_at = time.monotonic()
                self._tell_changes()
                await asyncio.sleep(LOOK_SECONDS)

    def _tell_changes(self) -> None:
        if self._was_in_contact != self.is_in_contact():
            self._was_in_contact = self.is_in_contact()
            tell = log.info if self._was_in_contact else log.warning
            tell("contact with Kafka", is_in_contact=self._was_in_contact)
