from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.errors import InvalidInput
from services.events.wire.event_codec import SourceRecord
from services.events.wire.event_reading import EventReader
from services.events.wire.job_records import Standing, read_posted_job

GOOD = b'{"jobId": "a", "title": "Engineer", "description": "Build"}'


def record(key: bytes | None, value: bytes | None) -> SourceRecord:
    return SourceRecord("jobs", 0, 0, key, value)


def test_a_job_is_its_title_and_description() -> None:
    job = read_posted_job(record(b"a", GOOD), EventReader())

    assert (job.job_id, job.text) == ("a", "Engineer\n\nBuild")


@pytest.mark.parametrize("empty", [None, b""])
def test_an_empty_value_deletes_the_job_of_the_key(empty: bytes | None) -> None:
    job = read_posted_job(record(b"a", empty), EventReader())

    assert (job.job_id, job.text, job.standing.is_deleted) == ("a", None, True)


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        (b"b", GOOD, "field_limits"),
        (None, None, "field_limits"),
        (b"\xff", None, "bad_encoding"),
        (b"a", b'{"job_id": "a"}', "field_limits"),
    ],
)
def test_a_record_that_would_hit_the_wrong_job_is_refused(
    key: bytes | None, value: bytes | None, kind: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_posted_job(record(key, value), EventReader())

    assert refusal.value.kind == kind


def test_the_version_and_the_times_of_a_posting_are_read() -> None:
    value = b'{"job_id": "a", "description": "x", "version": 7, "post_time": "1970-01-01T00:00:05Z"}'
    posted = SourceRecord("jobs", 3, 9, b"a", value, (), 11)

    assert read_posted_job(posted, EventReader()).standing == Standing(False, 7, 5000, 3, 9, 11)


def posting(**fields: Any) -> Standing:
    return Standing(**fields)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (posting(version=1, offset=9), posting(version=2, offset=3)),
        (posting(version=None, offset=9), posting(version=0, offset=3)),
        (posting(version=None, post_time_ms=9), posting(version=0)),
        (posting(version=1, post_time_ms=5, offset=9), posting(version=1, post_time_ms=6, offset=3)),
        (posting(post_time_ms=5, offset=9), posting(post_time_ms=6, offset=3)),
        (posting(offset=9), posting(post_time_ms=6, offset=3)),
        (posting(partition=1, offset=3, time_ms=9), posting(partition=1, offset=4, time_ms=5)),
        (posting(partition=1, offset=9, time_ms=5), posting(partition=2, offset=3, time_ms=6)),
        (posting(partition=2, offset=9), posting(partition=1, offset=3, time_ms=0)),
        (posting(version=8, partition=1, offset=3), posting(is_deleted=True, partition=1, offset=4)),
        (posting(is_deleted=True, partition=1, offset=4), posting(partition=1, offset=5)),
    ],
)
def test_an_older_record_never_replaces_a_newer_one(older: Standing, newer: Standing) -> None:
    assert newer.replaces(older)
    assert not older.replaces(newer)


def test_of_equal_records_the_last_one_read_counts() -> None:
    assert posting().replaces(posting())
    assert posting(version=1, partition=1).replaces(posting(version=1, partition=2))


@given(
    st.permutations(
        [
            Standing(False, version, post_time, 1, offset, 100)
            for offset, (version, post_time) in enumerate(
                [(None, None), (1, None), (None, 5), (2, 1), (2, 4), (2, None), (1, 9), (None, None)]
            )
        ]
    )
)
def test_whatever_the_order_of_coming_the_same_posting_counts(postings: list[Standing]) -> None:
    stored = postings[0]
    for each in postings[1:]:
        stored = each if each.replaces(stored) else stored

    assert (stored.version, stored.post_time_ms) == (2, 4)
