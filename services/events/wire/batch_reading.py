"""Reads past what stands in Kafka and cannot be decoded: damaged bytes, an unknown codec, a broken record.

aiokafka's fetcher raises at such a batch, at every read and after every restart, and nothing behind it is
ever read. Here one record takes its place that carries the bytes, the offsets and the reason, so that every
reader can put it aside and go on. A header's name that is not UTF-8 is read with U+FFFD and costs no record:
headers of others are none of ours.
"""

import struct
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from aiokafka import ConsumerRecord
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords

from services.contracts.outcomes import DeadLetterKind
from services.events.wire.record_format import (
    DECODERS,
    BatchHeader,
    RecordsInseparable,
    decompress,
    has_right_checksum,
    read_header,
    split_records,
)

Record: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"

LENGTH = struct.Struct(">qi")  # base offset and length, in front of a batch of any version
# What only the way here damaged is whole the next time; what lies damaged on the disk is so every time.
NUM_READINGS = 3
MAX_REMEMBERED = 10_000
_readings: OrderedDict[tuple[str, int, int], int] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Damage:
    """What could not be decoded.

    Attributes:
        kind: the kind of its dead letter.
        reason: for people; nothing of the bytes is in it.
        first_offset, last_offset: of the records that are lost with it, both included.
    """

    kind: DeadLetterKind
    reason: str
    first_offset: int
    last_offset: int

    @property
    def offsets(self) -> str:
        """Returns the offsets in words."""
        if self.first_offset == self.last_offset:
            return f"offset {self.first_offset}"
        return f"offsets {self.first_offset} to {self.last_offset}"


class DamagedBytes(bytes):
    """The value of a record that stands for what could not be decoded: the bytes of the batch or record.

    A value, because that is what Faust hands on untouched.
    """

    damage: Damage


def damage_of(value: bytes | None) -> Damage | None:
    """Returns what a record's value says of damage; None for a record that was decoded."""
    return value.damage if isinstance(value, DamagedBytes) else None


def read_past_damage() -> None:
    """Makes every aiokafka consumer of this process read past damage, Faust's included; may be repeated."""
    fetcher.MemoryRecords = FetchedBatches
    fetcher.PartitionRecords = UndamagedRecords


class FetchedBatches:
    """What a broker answered for one partition, in batches, without a look inside."""

    def __init__(self, content: bytes | None) -> None:
        self._content = content or b""

    def has_next(self) -> bool:
        """Returns whether the broker answered anything."""
        return bool(self._content)

    def size_in_bytes(self) -> int:
        """Returns how much it answered."""
        return len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        """Yields whole batches; the last may be cut short by the size of the answer, but never the first."""
        start = 0
        while len(self._content) - start >= LENGTH.size:
            end = start + LENGTH.size + LENGTH.unpack_from(self._content, start)[1]
            if not start + LENGTH.size < end <= len(self._content):
                break
            yield self._content[start:end]
            start = end
        if start == 0:
            yield self._content


class UndamagedRecords(PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    """The records of an answer, and a ``DamagedBytes`` for each stretch of them that cannot be decoded."""

    next_fetch_offset: int
    _records: FetchedBatches | MemoryRecords

    def _unpack_records(self) -> Iterator[Record]:
        batches = iter(self._records)
        for raw in batches:
            self._records = MemoryRecords(raw)
            try:
                if not self._records.has_next():
                    raise CorruptRecordException("cut short")
                yield from super()._unpack_records()
            except Exception:  # a codec raises what it likes
                yield from self._read_past(raw)
                # Where a damaged batch ends may be a guess: what follows is fetched anew.
                return

    def _read_past(self, raw: bytes) -> Iterator[Record]:
        header = read_header(raw)
        if header is not None and has_right_checksum(raw):
            yield from self._read_one_by_one(raw, header)
        elif _is_damaged_for_good((self._tp.topic, self._tp.partition, self.next_fetch_offset)):
            reason = "its bytes are damaged (wrong checksum or length)"
            yield self._lost(raw, reason, _believed_end(header))

    def _read_one_by_one(self, raw: bytes, header: BatchHeader) -> Iterator[Record]:
        self.next_fetch_offset = max(self.next_fetch_offset, header.base_offset)
        if header.codec not in DECODERS:
            yield self._lost(raw, f"its codec is unknown (number {header.codec})", header.last_offset)
            return
        try:
            content = decompress(raw, header)
        except Exception as error:  # a codec raises what it likes
            reason = f"its compressed bytes are damaged ({type(error).__name__})"
            yield self._lost(raw, reason, header.last_offset)
            return
        try:
            for record in split_records(content, header, self.next_fetch_offset):
                if record.offset < self.next_fetch_offset:
                    continue
                if record.raw is None:
                    self.next_fetch_offset = record.offset + 1
                    yield self._consumer_record(self._tp, record)
                else:
                    reason = "its fields are longer than the record"
                    yield self._lost(record.raw, reason, record.offset, DeadLetterKind.UNDECODABLE_RECORD)
        except RecordsInseparable:
            yield self._lost(raw, "its records cannot be told apart", header.last_offset)
        self.next_fetch_offset = max(self.next_fetch_offset, header.last_offset + 1)

    def _lost(
        self,
        content: bytes,
        reason: str,
        last_offset: int | None,
        kind: DeadLetterKind = DeadLetterKind.UNDECODABLE_BATCH,
    ) -> Record:
        first = self.next_fetch_offset
        last = first if last_offset is None else max(first, last_offset)
        value = DamagedBytes(content)
        value.damage = Damage(kind, reason, first, last)
        self.next_fetch_offset = last + 1
        # It stands at the last offset: what is committed behind it is behind all of them.
        place = (self._tp.topic, self._tp.partition, last)
        record: Record = ConsumerRecord(*place, None, 0, None, value, None, -1, len(value), ())
        return record


def _is_damaged_for_good(place: tuple[str, int, int]) -> bool:
    """Counts one more reading of a place, and returns whether it was read often enough."""
    _readings[place] = _readings.pop(place, 0) + 1
    if len(_readings) > MAX_REMEMBERED:
        _readings.popitem(last=False)
    return _readings[place] >= NUM_READINGS


def _believed_end(header: BatchHeader | None) -> int | None:
    """Returns the last offset of a batch whose checksum is wrong; None where its header is no help.

    Two fields that agree are believed. Without them one offset is passed over at a time, so that no good
    record ever is.
    """
    if header is None or header.last_offset - header.base_offset != header.num_records - 1:
        return None
    return header.last_offset
