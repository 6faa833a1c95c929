"""Takes a batch of Kafka's record format apart where aiokafka gives up: one record at a time, and leniently.

The format: https://kafka.apache.org/documentation/#recordbatch. Only for batches whose checksum is right.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from aiokafka.record.default_records import DefaultRecordBase, DefaultRecordBatch
from aiokafka.record.util import decode_varint_py as decode_varint

HEADER = DefaultRecordBase.HEADER_STRUCT
MAGIC = 2  # of the only format with headers; brokers have written no other since 2017
MAGIC_OFFSET = 16
CODEC_BITS = 0x07
LOG_APPEND_TIME_BIT = 0x08
DECODERS = {0: bytes, 1: gzip_decode, 2: snappy_decode, 3: lz4_decode, 4: zstd_decode}


class RecordsInseparable(Exception):
    """The length of a record is wrong, so nothing behind it can be found."""


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """What stands in front of the records of a batch.

    Attributes:
        base_offset, last_offset: of its first and last record, as they were written: compaction keeps both.
        attributes: codec and kind of timestamp, in bits.
        first_timestamp, max_timestamp: milliseconds since 1970.
        num_records: that are left.
    """

    base_offset: int
    last_offset: int
    attributes: int
    first_timestamp: int
    max_timestamp: int
    num_records: int

    @property
    def codec(self) -> int:
        """Returns the number of the codec."""
        return self.attributes & CODEC_BITS

    @property
    def timestamp_type(self) -> int:
        """Returns 1 where the broker set the time of all records, else 0."""
        return int(bool(self.attributes & LOG_APPEND_TIME_BIT))


@dataclass(frozen=True, slots=True)
class LooseRecord:
    """One record, or the bytes of one that cannot be read; with what aiokafka asks of a record.

    Attributes:
        raw: its bytes, where it cannot be read, else None.
    """

    offset: int
    timestamp: int | None = None
    timestamp_type: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    checksum: None = None
    raw: bytes | None = None


def read_header(raw: bytes) -> BatchHeader | None:
    """Returns the header of a batch, right or wrong; None for other formats and for too few bytes."""
    if len(raw) < HEADER.size or raw[MAGIC_OFFSET] != MAGIC:
        return None
    base, _, _, _, _, attributes, last_delta, first_time, max_time, _, _, _, count = HEADER.unpack_from(raw)
    return BatchHeader(base, base + last_delta, attributes, first_time, max_time, count)


def has_right_checksum(raw: bytes) -> bool:
    """Returns whether a batch of this format is as its producer wrote it."""
    return read_header(raw) is not None and bool(DefaultRecordBatch(raw).validate_crc())


def decompress(raw: bytes, header: BatchHeader) -> bytes:
    """Returns the records of a batch, one behind the other.

    Raises:
        KeyError: the codec is unknown.
        Exception: whatever the codec raises at damaged bytes.
    """
    return bytes(DECODERS[header.codec](raw[HEADER.size :]))


def split_records(content: bytes, header: BatchHeader, next_offset: int) -> Iterator[LooseRecord]:
    """Yields records in their order.

    Args:
        content: as ``decompress`` returned it.
        next_offset: given to records that cannot be read, where the one before has none.

    Raises:
        RecordsInseparable: there are fewer than the header says.
    """
    at = 0
    for _ in range(header.num_records):
        try:
            length, start = decode_varint(content, at)
        except (IndexError, ValueError) as error:
            raise RecordsInseparable from error
        at = start + length
        if length <= 0 or at > len(content):
            raise RecordsInseparable
        raw = content[start:at]
        try:
            record = _read_record(raw, header)
        except (IndexError, ValueError):
            record = LooseRecord(next_offset, raw=raw)
        next_offset = record.offset + 1
        yield record


def _read_record(raw: bytes, header: BatchHeader) -> LooseRecord:
    time_delta, at = decode_varint(raw, 1)  # behind the attributes, which are unused
    offset_delta, at = decode_varint(raw, at)
    key, at = _read_bytes(raw, at)
    value, at = _read_bytes(raw, at)
    num_headers, at = decode_varint(raw, at)
    headers = []
    for _ in range(num_headers):
        name, at = _read_bytes(raw, at)
        content, at = _read_bytes(raw, at)
        headers.append(((name or b"").decode("utf-8", "replace"), content))
    if at != len(raw):
        raise ValueError("bytes are left over")
    is_time_of_broker = header.timestamp_type == 1
    timestamp = header.max_timestamp if is_time_of_broker else header.first_timestamp + time_delta
    offset = header.base_offset + offset_delta
    return LooseRecord(offset, timestamp, header.timestamp_type, key, value, tuple(headers))


def _read_bytes(raw: bytes, at: int) -> tuple[bytes | None, int]:
    length, start = decode_varint(raw, at)
    if length < 0:
        return None, start
    end = start + length
    if end > len(raw):
        raise ValueError("longer than its record")
    return raw[start:end], end
