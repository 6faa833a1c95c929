"""Batches of Kafka's record format made by hand, so that they can be wrong."""

import struct
from collections.abc import Sequence

from aiokafka.record.default_records import DefaultRecordBase, DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from services.events.kafka_client import Headers

Row = tuple[bytes | None, bytes | None, Headers]

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
_ATTRIBUTES_OFFSET = DefaultRecordBase.ATTRIBUTES_OFFSET
_CRC_OFFSET = DefaultRecordBase.CRC_OFFSET
_MAX_BYTES = 2**22


def batch(
    rows: Sequence[Row], codec: str = "none", first_offset: int = 0, timestamp_ms: int = 1_700_000_000_000
) -> bytearray:
    builder = DefaultRecordBatchBuilder(2, CODECS[codec], 0, -1, -1, -1, _MAX_BYTES)
    for offset, (key, value, headers) in enumerate(rows):
        builder.append(offset, timestamp_ms, key, value, list(headers))
    built = bytearray(builder.build())
    struct.pack_into(">q", built, 0, first_offset)
    return built


def rows(count: int, size: int = 100) -> list[Row]:
    return [(b"key", b"%d" % number * size, ()) for number in range(count)]


def with_flipped_byte(built: bytearray, at: int = -3) -> bytearray:
    built[at] ^= 0xFF
    return built


def with_codec_bits(built: bytearray, number: int) -> bytearray:
    built[_ATTRIBUTES_OFFSET + 1] |= number
    return signed(built)


def with_bad_header_name(built: bytearray, name: bytes) -> bytearray:
    """Replaces the first byte of a header's name by one that no UTF-8 text holds."""
    built[built.index(name)] = 0xFF
    return signed(built)


def signed(built: bytearray) -> bytearray:
    """Gives a changed batch the checksum of its bytes."""
    checksum = calc_crc32c(bytes(built[_ATTRIBUTES_OFFSET:]))
    struct.pack_into(">I", built, _CRC_OFFSET, checksum)
    return built
