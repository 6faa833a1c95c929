"""Makes dead letters of the records that cannot be processed, untouched, with the reason in their headers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

from services.contracts.outcomes import DeadLetterKind, InputFault
from services.contracts.topics import dead_letter_topic
from services.events.kafka_client import publish
from services.events.wire.event_codec import CONTENT_TYPE, Headers, SourceRecord
from services.process.logging import get_logger

log = get_logger(__name__)

Kind = DeadLetterKind | InputFault

HEADER_PREFIX = "scorer.error."
MAX_MESSAGE_CHARACTERS = 500  # the message names fields, never their values; the rest is noise
# Headers that say how to read a record are kept where the others do not fit, if they are of a sane size.
KEPT_HEADERS = (CONTENT_TYPE, "ce_", "traceparent", "scorer.")
MAX_KEPT_HEADER_BYTES = 1024


class DeadLetterCount(Protocol):
    """Counts dead letters: the metrics of any process."""

    def count_dead_letter(self, error_kind: Kind) -> None:
        """One record became a dead letter, for this reason."""

    def count_undecodable(self, topic: str) -> None:
        """A stretch of this topic could not be decoded."""


@dataclass(frozen=True, slots=True)
class _Copy:
    key: bytes | None
    value: bytes | None
    headers: Headers
    omitted: tuple[str, ...]


class DeadLetters:
    """Writes to ``<topic>.dlq``."""

    def __init__(self, producer: AIOKafkaProducer, metrics: DeadLetterCount) -> None:
        self._producer = producer
        self._metrics = metrics

    async def put(self, record: SourceRecord, kind: Kind, message: str, attempts: int = 1) -> None:
        """Copies a record to its dead-letter topic and returns when the broker has it.

        What does not fit is left out, and the headers say so: the other headers, the value, both, the key as
        well. Its place in the source topic always fits.

        Args:
            record: key, value, headers and timestamp are copied as they are. Of what could not be decoded the
                value are its bytes, marked by a header ``scorer.error.is_raw``.
            kind: why it cannot be processed.
            message: for people; without any text of the record.
            attempts: how often processing was tried.
        """
        reason = _reason(record, kind, message, attempts)
        *larger, smallest = _copies(record)
        for copy in larger:
            try:
                await self._publish(record, copy, reason)
                break
            except (MessageSizeTooLargeError, RecordListTooLargeError):
                continue
        else:
            await self._publish(record, smallest, reason)
        self._metrics.count_dead_letter(kind)
        if record.damage is not None:
            self._metrics.count_undecodable(record.topic)
        log.warning(
            "dead letter", kind=kind, partition=record.partition, offset=record.offset, topic=record.topic
        )

    async def _publish(self, record: SourceRecord, copy: _Copy, reason: dict[str, str]) -> None:
        marks = reason | {f"{part}_omitted": "true" for part in copy.omitted}
        await publish(
            self._producer,
            dead_letter_topic(record.topic),
            key=copy.key,
            value=copy.value,
            headers=[*copy.headers, *((HEADER_PREFIX + name, text.encode()) for name, text in marks.items())],
            timestamp_ms=record.timestamp_ms,
        )


def _reason(record: SourceRecord, kind: Kind, message: str, attempts: int) -> dict[str, str]:
    reason = {
        "kind": kind,
        "message": message[:MAX_MESSAGE_CHARACTERS],
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "attempts": str(attempts),
    }
    damage = record.damage
    if damage is not None:
        reason |= {
            "first_offset": str(damage.first_offset),
            "last_offset": str(damage.last_offset),
            "is_raw": "true",
        }
    return reason


def _copies(record: SourceRecord) -> Iterator[_Copy]:
    """Yields ever smaller copies: the value, without which nothing can be replayed, stays where it can."""
    key, value = record.key, None if record.value is None else bytes(record.value)
    kept = [(name, content) for name, content in record.headers if _is_kept(name, content)]
    has_others = len(kept) < len(record.headers)
    yield _Copy(key, value, record.headers, ())
    if has_others:
        yield _Copy(key, value, kept, ("headers",))
    yield _Copy(key, None, record.headers, ("value",))
    if has_others:
        yield _Copy(key, None, kept, ("headers", "value"))
    yield _Copy(None, None, (), ("headers", "value", "key"))


def _is_kept(name: str, content: bytes | None) -> bool:
    return name.lower().startswith(KEPT_HEADERS) and len(name) + len(content or b"") <= MAX_KEPT_HEADER_BYTES
