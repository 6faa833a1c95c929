"""Kafka records to protobuf messages and back.

A value is JSON in protobuf's mapping (``json_events``), or binary under the header
``content-type: application/x-protobuf``. CloudEvents 1.0 attributes travel as ``ce_*`` headers (binary mode):
always written, read when present.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiokafka import ConsumerRecord
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import DeadLetterKind
from services.events.wire.batch_reading import Damage, damage_of
from services.events.wire.json_events import Decoded, message_from_json
from services.events.wire.message_limits import check_limits

Headers = Sequence[tuple[str, bytes]]
M = TypeVar("M", bound=Message)

CONTENT_TYPE = "content-type"
JSON_TYPE = "application/json"
PROTOBUF_TYPE = "application/x-protobuf"
CLOUD_EVENTS_VERSION = "1.0"
EVENT_SOURCE = "/resume-scorer"

# Confluent's wire format; neither JSON nor protobuf begins with a zero byte.
REGISTRY_MARK = b"\0"
REGISTRY_FRAME_BYTES = 5
MAX_NAMED_FIELDS = 10
MAX_SOURCE_CHARACTERS = 256
# Twice what Kafka takes by default: nothing larger is even parsed.
MAX_VALUE_BYTES = 2 * 1024**2


#: Partition and offset of a record in its topic.
Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record as it came from Kafka.

    Attributes:
        topic, partition, offset: where it stands.
        key, value: its bytes; a value of None is a deletion.
        headers: in their order.
        timestamp_ms: milliseconds since 1970, or None.

    A record may stand for what could not be decoded: then it has ``damage``, and its value are the bytes.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)
    headers: Headers = field(default=(), repr=False)
    timestamp_ms: int | None = None

    @property
    def position(self) -> Position:
        """Returns partition and offset: what tells the records of one topic apart."""
        return self.partition, self.offset

    @property
    def damage(self) -> Damage | None:
        """Returns what could not be decoded here; None for a record that was."""
        return damage_of(self.value)


def source_record(record: ConsumerRecord[bytes | None, bytes | None]) -> SourceRecord:
    """Returns a record that aiokafka delivered."""
    return SourceRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
        timestamp_ms=known_time(record.timestamp),
    )


def known_time(timestamp_ms: int | None) -> int | None:
    """Returns the time of a record; None where it has none, which Kafka writes as -1."""
    return None if timestamp_ms is None or timestamp_ms < 0 else timestamp_ms


def check_decoded(record: SourceRecord) -> None:
    """Accepts a record that could be decoded.

    Raises:
        InvalidInput: it stands for what could not; its text names the offsets.
    """
    damage = record.damage
    if damage is not None:
        raise InvalidInput(damage.kind, [FieldViolation(damage.offsets, damage.reason)])


def decode_event(value: bytes | None, headers: Headers, message_type: type[M]) -> M:
    """Returns the message that a record holds, within its limits, and nothing beside what it knows.

    Raises:
        InvalidInput: of kind ``bad_encoding``, ``bad_json``, ``wrong_type``, ``unknown_field`` or
            ``field_limits``; its text names fields and holds nothing of their values.
    """
    decoded = decode_known_fields(value, headers, message_type)
    if decoded.unknown_fields:
        violations = [FieldViolation(path, "is unknown to this version") for path in decoded.unknown_fields]
        raise InvalidInput(DeadLetterKind.UNKNOWN_FIELD, violations[:MAX_NAMED_FIELDS])
    return decoded.message


def decode_known_fields(value: bytes | None, headers: Headers, message_type: type[M]) -> Decoded[M]:
    """Returns what a record says in the fields that this version knows, within their limits.

    Raises:
        InvalidInput: as ``decode_event``, but no unknown field.
    """
    if value is None:
        raise _invalid(DeadLetterKind.BAD_JSON, "the record has no value")
    if len(value) > MAX_VALUE_BYTES:
        raise _invalid(DeadLetterKind.FIELD_LIMITS, f"longer than {MAX_VALUE_BYTES} bytes")
    if value[:1] == REGISTRY_MARK and len(value) >= REGISTRY_FRAME_BYTES:
        raise _invalid(
            DeadLetterKind.BAD_ENCODING,
            "framed for a schema registry (a zero byte and a 4-byte schema id stand in front); "
            "send JSON or binary protobuf without a frame",
        )
    content_type = _content_type(headers)
    if content_type == PROTOBUF_TYPE:
        decoded = _from_binary(value, message_type)
    elif content_type in ("", JSON_TYPE, "text/json"):
        decoded = message_from_json(value, message_type)
    else:
        raise _invalid(
            DeadLetterKind.BAD_ENCODING, f"its content-type is neither {JSON_TYPE} nor {PROTOBUF_TYPE}"
        )
    check_limits(decoded.message)
    return decoded


def encode_event(message: Message) -> bytes:
    """Returns a message as JSON with every field, named as in the .proto file."""
    return json_format.MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=None,
        ensure_ascii=False,
    ).encode()


def cloud_event_headers(topic: str, event_id: str | None = None) -> list[tuple[str, bytes]]:
    """Returns the headers of an event published now.

    Args:
        topic: becomes ``ce_type``.
        event_id: the same for the same event, or None for a new one.
    """
    attributes = {
        "ce_id": event_id or str(uuid.uuid4()),
        "ce_type": topic,
        "ce_source": EVENT_SOURCE,
        "ce_specversion": CLOUD_EVENTS_VERSION,
        "ce_time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        CONTENT_TYPE: JSON_TYPE,
    }
    return [(name, text.encode()) for name, text in attributes.items()]


def event_time_seconds(headers: Headers, timestamp_ms: int | None) -> float | None:
    """Returns when an event happened, in seconds since 1970: its ``ce_time``, else the record's time."""
    text = _header(headers, "ce_time")
    if text:
        try:
            happened = datetime.fromisoformat(text)
        except ValueError:
            happened = None
        if happened is not None and happened.tzinfo is not None:
            return happened.timestamp()
    return None if timestamp_ms is None else timestamp_ms / 1000


def event_source(headers: Headers) -> str:
    """Returns who sent an event, as its ``ce_source`` says; empty where it says nothing."""
    return _header(headers, "ce_source")[:MAX_SOURCE_CHARACTERS]


def _content_type(headers: Headers) -> str:
    return _header(headers, CONTENT_TYPE).partition(";")[0].strip().lower()


def _header(headers: Headers, name: str) -> str:
    found = next((value for key, value in headers if key.lower() == name), None)
    return (found or b"").decode("utf-8", "replace")


def _from_binary(value: bytes, message_type: type[M]) -> Decoded[M]:
    message = message_type()
    try:
        message.ParseFromString(value)
    except DecodeError as error:
        raise _invalid(DeadLetterKind.BAD_ENCODING, "not a protobuf message of this topic") from error
    return Decoded(message, list(_unknown_numbers(message, "")))


def _unknown_numbers(message: Message, prefix: str) -> Iterator[str]:
    unknown_fields: Any = UnknownFieldSet(message)
    for unknown in unknown_fields:
        yield f"{prefix}(number {unknown.field_number})"
    for descriptor, content in message.ListFields():
        kind = descriptor.message_type
        if kind is None or kind.GetOptions().map_entry:
            continue
        path = f"{prefix}{descriptor.name}"
        if not descriptor.is_repeated:
            yield from _unknown_numbers(content, f"{path}.")
            continue
        for at, each in enumerate(content):
            yield from _unknown_numbers(each, f"{path}[{at}].")


def _invalid(kind: DeadLetterKind, description: str) -> InvalidInput:
    return InvalidInput(kind, [FieldViolation("value", description)])
