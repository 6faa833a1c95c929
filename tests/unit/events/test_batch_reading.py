"""What aiokafka's fetcher is given: batches as brokers answer them, whole and damaged."""

import struct
import uuid
from itertools import accumulate

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.record.default_records import DefaultRecordBase
from hypothesis import given
from hypothesis import strategies as st

from services.events.wire.batch_reading import (
    NUM_READINGS,
    Damage,
    FetchedBatches,
    Record,
    UndamagedRecords,
    damage_of,
)
from tests.doubles.files.record_batches import (
    CODECS,
    batch,
    rows,
    signed,
    with_bad_header_name,
    with_codec_bits,
    with_flipped_byte,
)


class Partition:
    """A log that is fetched as aiokafka does it: again from where the last answer ended."""

    def __init__(self, *batches: bytearray) -> None:
        self.content = b"".join(bytes(each) for each in batches)
        starts = accumulate((len(each) for each in batches), initial=0)
        firsts = (struct.unpack_from(">q", each)[0] for each in batches)
        self._index: dict[int, int] = dict(zip(firsts, starts, strict=False))
        self._place = TopicPartition(uuid.uuid4().hex, 0)
        self.position = 0
        self.num_fetches = 0

    def fetch(self) -> list[Record]:
        self.num_fetches += 1
        content = self.content[self._start_of_batch() :]
        answer = UndamagedRecords(
            self._place, FetchedBatches(content), None, self.position, None, None, True, READ_UNCOMMITTED
        )
        records = list(answer)
        self.position = answer.next_fetch_offset
        return records

    def read(self, end: int) -> list[Record]:
        found = []
        for _ in range(100):
            found += self.fetch()
            if self.position >= end:
                return found
        raise AssertionError(f"stuck at {self.position}")

    def _start_of_batch(self) -> int:
        # A broker looks for the batch in its own index, not in the damaged bytes.
        return max(at for first, at in self._index.items() if first <= self.position)


def damages(records: list[Record]) -> list[Damage]:
    return [damage for each in records if (damage := damage_of(each.value)) is not None]


def good_offsets(records: list[Record]) -> list[int]:
    return [each.offset for each in records if damage_of(each.value) is None]


@pytest.mark.parametrize("codec", CODECS)
def test_whole_batches_of_every_codec_are_read_as_they_are(codec: str) -> None:
    log = Partition(batch(rows(3), codec), batch(rows(2), codec, first_offset=3))

    records = log.read(5)

    assert [(each.offset, each.key, each.value) for each in records] == [
        (offset, b"key", b"%d" % number * 100) for offset, number in enumerate([0, 1, 2, 0, 1])
    ]


@pytest.mark.parametrize("codec", CODECS)
def test_a_batch_with_a_wrong_checksum_is_passed_over_whole_and_the_next_is_read(codec: str) -> None:
    damaged = with_flipped_byte(batch(rows(3), codec, first_offset=2))
    log = Partition(batch(rows(2)), damaged, batch(rows(2), first_offset=5))

    records = log.read(7)

    assert good_offsets(records) == [0, 1, 5, 6]
    (damage,) = damages(records)
    assert (damage.kind, damage.first_offset, damage.last_offset) == ("undecodable_batch", 2, 4)
    assert records[2].offset == 4
    assert records[2].value == bytes(damaged)


def test_damage_of_the_way_here_costs_nothing() -> None:
    log = Partition(batch(rows(3)))
    whole = log.content
    log.content = bytes(with_flipped_byte(bytearray(whole)))

    first_try = log.fetch()
    log.content = whole

    assert first_try == []
    assert good_offsets(log.read(3)) == [0, 1, 2]


@pytest.mark.parametrize("number", [5, 6, 7])
def test_a_batch_of_an_unknown_codec_is_passed_over_at_once(number: int) -> None:
    log = Partition(with_codec_bits(batch(rows(3)), number), batch(rows(1), first_offset=3))

    records = log.read(4)

    assert [(each.reason, each.offsets) for each in damages(records)] == [
        (f"its codec is unknown (number {number})", "offsets 0 to 2")
    ]
    assert good_offsets(records) == [3]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_bytes_that_were_damaged_before_they_were_signed_are_passed_over(codec: str) -> None:
    built = batch(rows(3), codec)
    built[DefaultRecordBase.HEADER_STRUCT.size :] = b"\x00garbage" * 5
    struct.pack_into(">i", built, 8, len(built) - 12)
    log = Partition(signed(built), batch(rows(1), first_offset=3))

    records = log.read(4)

    (damage,) = damages(records)
    assert damage.offsets == "offsets 0 to 2"
    assert damage.reason.startswith("its compressed bytes are damaged")
    assert good_offsets(records) == [3]


@pytest.mark.parametrize("codec", CODECS)
def test_a_header_name_that_is_no_text_costs_no_record(codec: str) -> None:
    row = (b"key", b"value" * 50, [("name", b"1"), ("none", None), ("trace", b"2")])
    built = batch([row, (b"key", b"other", ()), row])
    if codec == "none":
        built = with_bad_header_name(built, b"name")

    records = Partition(built).read(3)

    assert good_offsets(records) == [0, 1, 2]
    first = "\ufffdame" if codec == "none" else "name"
    assert records[0].headers == ((first, b"1"), ("none", None), ("trace", b"2"))
    assert records[0].timestamp == records[1].timestamp == 1_700_000_000_000


def test_a_record_with_wrong_lengths_inside_is_passed_over_alone() -> None:
    built = batch([(b"key", b"a" * 20, ()), (b"key", b"b" * 20, ()), (b"key", b"c" * 20, ())])
    built[built.index(b"b" * 20) - 1] = 0x7E  # the value now claims to be longer than its record
    log = Partition(signed(built))

    records = log.read(3)

    (damage,) = damages(records)
    assert (damage.kind, damage.offsets) == ("undecodable_record", "offset 1")
    assert good_offsets(records) == [0, 2]


def test_a_record_of_a_wrong_length_takes_those_behind_it_along() -> None:
    built = batch([(b"key", b"a" * 20, ()), (b"key", b"b" * 20, ()), (b"key", b"c" * 20, ())])
    second = built.index(b"b" * 20) - 9
    built[second : second + 1] = b"\x7e"
    log = Partition(signed(built), batch(rows(1), first_offset=3))

    records = log.read(4)

    assert [each.offsets for each in damages(records)] == ["offsets 1 to 2"]
    assert good_offsets(records) == [0, 3]


def test_a_batch_whose_length_is_wrong_is_passed_over_and_no_good_record_with_it() -> None:
    damaged = batch(rows(3))
    struct.pack_into(">i", damaged, 8, 10_000_000)
    log = Partition(damaged, batch(rows(2), first_offset=3))

    records = log.read(5)

    assert [each.offsets for each in damages(records)] == ["offsets 0 to 2"]
    assert good_offsets(records) == [3, 4]


def test_a_batch_cut_short_at_the_end_of_an_answer_is_fetched_again() -> None:
    log = Partition(batch(rows(2)), batch(rows(2), first_offset=2))
    whole = log.content
    log.content = whole[:-10]

    first = log.fetch()
    log.content = whole

    assert good_offsets(first) == [0, 1]
    assert good_offsets(log.read(4)) == [2, 3]


@given(st.integers(min_value=16), st.integers(1, 255), st.sampled_from(sorted(CODECS)))
def test_whatever_byte_is_damaged_the_batch_behind_is_read_whole(at: int, change: int, codec: str) -> None:
    damaged = batch(rows(3), codec)
    damaged[16 + at % (len(damaged) - 16)] ^= change
    log = Partition(damaged, batch(rows(2), first_offset=3))

    records = log.read(5)

    assert good_offsets(records)[-2:] == [3, 4]
    assert all(each.last_offset < 3 for each in damages(records))
    assert log.num_fetches <= 3 * NUM_READINGS + 2
