"""What a label record comes to, and which ones are refused."""

import dataclasses
import json
import time
from typing import Any

import pytest

from services.contracts.errors import InvalidInput
from services.contracts.scoring import CATEGORY_FLOORS, category_of
from services.contracts.topics import APPLICATION_SUBMITTED, JOB_POSTED, SCORE_LABELLED
from services.events.wire.event_codec import SourceRecord
from services.events.wire.event_reading import EventReader
from services.events.wire.job_records import PostedJob
from services.training_service.labels.intake_records import (
    CATEGORY_SCORES,
    SeenApplication,
    read_label,
    read_record,
)

READER = EventReader()


def record(topic: str, timestamp_ms: int | None = 1000, **fields: Any) -> SourceRecord:
    return SourceRecord(topic, 0, 7, b"j", json.dumps(fields).encode(), (), timestamp_ms)


def label(**fields: Any) -> SourceRecord:
    return record(SCORE_LABELLED, application_id="a", rater="r", **fields)


def test_the_score_of_a_category_alone_lies_in_the_middle_of_its_range() -> None:
    ceilings = [100.0, *(floor for _, floor in CATEGORY_FLOORS)]
    assert {
        name: (floor + ceiling) / 2 for (name, floor), ceiling in zip(CATEGORY_FLOORS, ceilings, strict=False)
    } == CATEGORY_SCORES
    assert all(category_of(score) == name for name, score in CATEGORY_SCORES.items())
    assert read_label(label(category="good"), READER).score == 75.0


@pytest.mark.parametrize(("score", "category"), [(85, "excellent"), (84.9, "good"), (0, "poor"), (70, "")])
def test_score_and_category_that_agree_are_taken(score: float, category: str) -> None:
    assert read_label(label(score=score, category=category), READER).score == score


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "field_limits"),
        ({"reasoning": "well"}, "field_limits"),
        ({"score": 101}, "field_limits"),
        ({"score": 90, "category": "poor"}, "invalid_input"),
        ({"score": 84.9, "category": "excellent"}, "invalid_input"),
        ({"category": "splendid"}, "field_limits"),
        ({"score": "high"}, "wrong_type"),
    ],
)
def test_a_label_that_says_nothing_or_contradicts_itself_is_refused(
    fields: dict[str, Any], kind: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_label(label(**fields), READER)
    assert refused.value.kind == kind


def test_a_clock_that_runs_ahead_does_not_make_a_label_younger_than_now() -> None:
    ahead = record(SCORE_LABELLED, round((time.time() + 3600) * 1000), application_id="a", rater="r", score=1)
    assert read_label(ahead, READER).label_time <= time.time()


def test_a_label_without_a_time_takes_its_own_words_for_it_else_that_of_its_arrival() -> None:
    timeless = record(SCORE_LABELLED, None, application_id="a", rater="r", score=1)
    before = time.time()
    assert before <= read_label(timeless, READER).label_time <= time.time()

    told = dataclasses.replace(timeless, headers=(("ce_time", b"1970-01-01T00:00:07Z"),))
    assert read_label(told, READER).label_time == 7.0


def test_jobs_and_applications_give_their_texts_as_they_are_scored() -> None:
    job = read_record(record(JOB_POSTED, job_id="j", title="Nurse", description="Care."), READER)
    assert isinstance(job, PostedJob)
    assert (job.job_id, job.text) == ("j", "Nurse\n\nCare.")
    gone = read_record(SourceRecord(JOB_POSTED, 0, 1, b"j", None), READER)
    assert isinstance(gone, PostedJob)
    assert (gone.job_id, gone.text) == ("j", None)
    fields = {"application_id": "a", "job_id": "j", "resume": "R"}
    assert read_record(record(APPLICATION_SUBMITTED, **fields), READER) == SeenApplication(
        "a", "j", "R", None, 1.0
    )
    inline = read_record(record(APPLICATION_SUBMITTED, **fields, job={"description": "Care."}), READER)
    assert isinstance(inline, SeenApplication)
    assert inline.job_description == "Care."


@pytest.mark.parametrize("key", [b"other", b"\xff"])
def test_a_job_that_the_worker_refuses_is_refused_here_too(key: bytes) -> None:
    posted = record(JOB_POSTED, job_id="j", description="Care.")
    with pytest.raises(InvalidInput):
        read_record(dataclasses.replace(posted, key=key), READER)
    with pytest.raises(InvalidInput):
        read_record(SourceRecord(JOB_POSTED, 0, 1, None, None), READER)
