"""Reads the records of a process: what is new to it is read past and counted, what is damaged is refused."""

from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from google.protobuf.message import Message

from services.events.wire.event_codec import SourceRecord, check_decoded, decode_event, decode_known_fields

M = TypeVar("M", bound=Message)


class UnknownFieldCount(Protocol):
    """Counts what was read past: the metrics of any process."""

    def count_unknown_fields(self, topic: str, num_fields: int) -> None:
        """A record of this topic holds so many fields that this version does not know."""


class NoCount:
    """Counts nothing."""

    def count_unknown_fields(self, topic: str, num_fields: int) -> None: ...


@dataclass(frozen=True, slots=True)
class EventReader:
    """Reads records as the settings say.

    Attributes:
        is_strict: whether a record with an unknown field is refused.
        count: counts unknown fields that were read past.
    """

    is_strict: bool = False
    count: UnknownFieldCount = field(default_factory=NoCount)

    def read(self, record: SourceRecord, message_type: type[M]) -> M:
        """Returns the message that a record holds, within its limits.

        Raises:
            InvalidInput: as ``decode_event``; of kind ``unknown_field`` only where it is strict; also of the
                kinds ``undecodable_batch`` and ``undecodable_record``.
        """
        check_decoded(record)
        if self.is_strict:
            return decode_event(record.value, record.headers, message_type)
        decoded = decode_known_fields(record.value, record.headers, message_type)
        if decoded.unknown_fields:
            self.count.count_unknown_fields(record.topic, len(decoded.unknown_fields))
        return decoded.message
