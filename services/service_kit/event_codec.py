"""Kafka records to protobuf messages and back.

A value is JSON in protobuf's mapping (both spellings of field names are read), or binary under
the header ``content-type: application/x-protobuf``. CloudEvents 1.0 attributes travel as
``ce_*`` headers (binary mode): always written, read when present.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiokafka import ConsumerRecord
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from services.contracts.errors import FieldViolation, InvalidInput
from services.service_kit.batch_reading import Damage, damage_of
from services.service_kit.message_limits import check_limits

Headers = Sequence[tuple[str, bytes]]
M = TypeVar("M", bound=Message)

CONTENT_TYPE = "content-type"
JSON_TYPE = "application/json"
PROTOBUF_TYPE = "application/x-protobuf"
CLOUD_EVENTS_VERSION = "1.0"
EVENT_SOURCE = "/resume-scorer"

# Twice what Kafka takes by default: nothing larger is even parsed.
MAX_VALUE_BYTES = 2 * 1024**2


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
    def place(self) -> tuple[int, int]:
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


def decode_record(record: SourceRecord, message_type: type[M]) -> M:
    """Returns the message that a record holds; see ``decode_event``.

    Raises:
        InvalidInput: also of the kinds ``undecodable_batch`` and ``undecodable_record``.
    """
    check_decoded(record)
    return decode_event(record.value, record.headers, message_type)


def check_decoded(record: SourceRecord) -> None:
    """Accepts a record that could be decoded.

    Raises:
        InvalidInput: it stands for what could not; its text names the offsets.
    """
    damage = record.damage
    if damage is not None:
        raise InvalidInput(damage.kind, [FieldViolation(damage.offsets, damage.reason)])


def decode_event(value: bytes | None, headers: Headers, message_type: type[M]) -> M:
    """Returns the message that a record holds, within its limits.

    Raises:
        InvalidInput: of kind ``bad_encoding``, ``bad_json``, ``wrong_type``, ``unknown_field`` or
            ``field_limits``; its text holds nothing of the value.
    """
    if value is None:
        raise _invalid("bad_json", "the record has no value")
    if len(value) > MAX_VALUE_BYTES:
        raise _invalid("field_limits", f"longer than {MAX_VALUE_BYTES} bytes")
    content_type = _content_type(headers)
    if content_type == PROTOBUF_TYPE:
        message = _from_binary(value, message_type)
    elif content_type in ("", JSON_TYPE, "text/json"):
        message = _from_json(value, message_type)
    else:
        raise _invalid("bad_encoding", f"its content-type is neither {JSON_TYPE} nor {PROTOBUF_TYPE}")
    check_limits(message)
    return message


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


def _content_type(headers: Headers) -> str:
    return _header(headers, CONTENT_TYPE).partition(";")[0].strip().lower()


def _header(headers: Headers, name: str) -> str:
    found = next((value for key, value in headers if key.lower() == name), None)
    return (found or b"").decode("utf-8", "replace")


def _from_binary(value: bytes, message_type: type[M]) -> M:
    message = message_type()
    try:
        message.ParseFromString(value)
    except DecodeError as error:
        raise _invalid("bad_encoding", "not a protobuf message of this topic") from error
    if _has_unknown_fields(message):
        raise _invalid("unknown_field", "holds a field that this version does not know")
    return message


def _has_unknown_fields(message: Message) -> bool:
    if len(UnknownFieldSet(message)):
        return True
    for descriptor, content in message.ListFields():
        kind = descriptor.message_type
        if kind is None or kind.GetOptions().map_entry:
            continue
        inner = content if descriptor.is_repeated else (content,)
        if any(_has_unknown_fields(each) for each in inner):
            return True
    return False


def _from_json(value: bytes, message_type: type[M]) -> M:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _invalid("bad_encoding", "not UTF-8") from error
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _invalid("bad_json", "not JSON") from error
    if not isinstance(content, dict):
        raise _invalid("wrong_type", "not a JSON object")
    if not _has_shape_of(content, message_type.DESCRIPTOR):
        raise _invalid("wrong_type", "a field has the wrong type")
    message = message_type()
    if _fill(content, message, is_lenient=False):
        return message
    # protobuf tells unknown fields and wrong types apart only in the words of its error.
    if _fill(content, message_type(), is_lenient=True):
        raise _invalid("unknown_field", "holds a field that this version does not know")
    raise _invalid("wrong_type", "a field has the wrong type")


def _has_shape_of(content: dict[str, object], descriptor: Any) -> bool:
    # protobuf reads a text or a list where an object belongs as an object of unknown fields.
    for part in descriptor.fields:
        kind = part.message_type
        inner = content.get(part.name, content.get(part.json_name))
        if kind is None or inner is None or part.is_repeated or kind.file.package != descriptor.file.package:
            continue
        if not isinstance(inner, dict) or not _has_shape_of(inner, kind):
            return False
    return True


def _fill(content: dict[str, object], message: Message, *, is_lenient: bool) -> bool:
    try:
        json_format.ParseDict(content, message, ignore_unknown_fields=is_lenient)
    except (json_format.ParseError, ValueError, TypeError, RecursionError, SystemError):
        # Text that no UTF-8 can hold, such as half a surrogate pair: a ValueError in a value, and protobuf's
        # SystemError in a field's name.
        return False
    return True


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _invalid(kind: str, description: str) -> InvalidInput:
    return InvalidInput(kind, [FieldViolation("value", description)])
