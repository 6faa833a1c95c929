"""Puts aside the records that cannot be processed, untouched, with the reason in their headers."""

from typing import Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from services.contracts.topics import dead_letter_topic
from services.service_kit.event_codec import SourceRecord
from services.service_kit.kafka_client import publish
from services.service_kit.logging import get_logger

log = get_logger(__name__)

HEADER_PREFIX = "scorer.error."
MAX_MESSAGE_CHARACTERS = 500  # the message names fields, never their values; the rest is noise


class DeadLetterCount(Protocol):
    """Counts dead letters: the metrics of any process."""

    def count_dead_letter(self, error_kind: str) -> None:
        """One record was put aside, for this reason."""


class DeadLetters:
    """Writes to ``<topic>.dlq``."""

    def __init__(self, producer: AIOKafkaProducer, metrics: DeadLetterCount) -> None:
        self._producer = producer
        self._metrics = metrics

    async def put(self, record: SourceRecord, kind: str, message: str, attempts: int = 1) -> None:
        """Copies a record to its dead-letter topic and returns when the broker has it.

        Args:
            record: key, value, headers and timestamp are copied as they are.
            kind: snake_case reason.
            message: for people; without any text of the record.
            attempts: how often processing was tried.
        """
        reason = {
            "kind": kind,
            "message": message[:MAX_MESSAGE_CHARACTERS],
            "topic": record.topic,
            "partition": str(record.partition),
            "offset": str(record.offset),
            "attempts": str(attempts),
        }
        added = [(HEADER_PREFIX + name, text.encode()) for name, text in reason.items()]
        try:
            await self._publish(record, record.value, added)
        except MessageSizeTooLargeError:
            # The headers made it too large. Its place in the source topic is in them.
            await self._publish(record, None, [*added, (HEADER_PREFIX + "value_omitted", b"true")])
        self._metrics.count_dead_letter(kind)
        log.warning(
            "dead letter", kind=kind, partition=record.partition, offset=record.offset, topic=record.topic
        )

    async def _publish(
        self, record: SourceRecord, value: bytes | None, added: list[tuple[str, bytes]]
    ) -> None:
        await publish(
            self._producer,
            dead_letter_topic(record.topic),
            key=record.key,
            value=value,
            headers=[*record.headers, *added],
            timestamp_ms=record.timestamp_ms,
        )
