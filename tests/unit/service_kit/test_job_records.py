import pytest

from services.contracts.errors import InvalidInput
from services.scoring_worker.job_view import JobStore
from services.service_kit.event_codec import SourceRecord
from services.service_kit.event_reading import EventReader
from services.service_kit.job_records import PostedJob, read_posted_job

GOOD = b'{"jobId": "a", "title": "Engineer", "description": "Build"}'


def record(key: bytes | None, value: bytes | None) -> SourceRecord:
    return SourceRecord("jobs", 0, 0, key, value)


def test_a_job_is_its_title_and_description() -> None:
    assert read_posted_job(record(b"a", GOOD), EventReader()) == PostedJob("a", "Engineer\n\nBuild")


@pytest.mark.parametrize("empty", [None, b""])
def test_an_empty_value_deletes_the_job_of_the_key(empty: bytes | None) -> None:
    assert read_posted_job(record(b"a", empty), EventReader()) == PostedJob("a", None)


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


def test_the_store_keeps_the_last_version_of_each_job() -> None:
    store = JobStore()
    store.apply([PostedJob("a", "old"), PostedJob("a", "new"), PostedJob("b", "text"), PostedJob("b", None)])

    assert store.text_of("a") == "new"
    assert store.text_of("b") is None
    assert len(store) == 1
    store.close()
