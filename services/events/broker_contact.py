"""Whether Kafka still answers.

A consumer does not tell: from a broker that takes connections and says nothing it fetches no records, and
neither from one that has none.
"""

import asyncio
import time

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.events.kafka_client import open_consumer
from services.process.logging import get_logger
from services.process.settings import KafkaSettings

log = get_logger(__name__)

LOOK_SECONDS = 2.0
ANSWER_SECONDS = 4.0
SILENCE_SECONDS = 6.0  # without an answer for longer, a process is not ready


class BrokerContact:
    """Remembers when Kafka answered last, and logs when contact comes and goes."""

    def __init__(self) -> None:
        self._answered_at: float | None = None
        self._was_in_contact = False

    def is_in_contact(self) -> bool:
        """Returns whether Kafka has answered within the last seconds."""
        return self._answered_at is not None and time.monotonic() - self._answered_at < SILENCE_SECONDS

    def note_answer(self) -> None:
        """Notes that Kafka has answered just now."""
        self._answered_at = time.monotonic()
        self.log_changes()

    def log_changes(self) -> None:
        """Says so where contact was lost or found again since the last call."""
        if self._was_in_contact != self.is_in_contact():
            self._was_in_contact = self.is_in_contact()
            report = log.info if self._was_in_contact else log.warning
            report("contact with Kafka", is_in_contact=self._was_in_contact)

    async def watch(self, settings: KafkaSettings, topic: str) -> None:
        """Asks for a topic's end every few seconds until cancelled, over a connection of its own."""
        while True:
            try:
                await self._ask_while_answered(settings, topic)
            except (KafkaError, OSError):  # TimeoutError is an OSError
                self.log_changes()
            await asyncio.sleep(LOOK_SECONDS)

    async def _ask_while_answered(self, settings: KafkaSettings, topic: str) -> None:
        # A new connection after each silence: an old one may be dead without a word.
        options = {"request_timeout_ms": round(ANSWER_SECONDS * 1000)}
        async with open_consumer(settings, **options) as consumer:
            while True:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await consumer.end_offsets([TopicPartition(topic, 0)])
                self.note_answer()
                await asyncio.sleep(LOOK_SECONDS)
