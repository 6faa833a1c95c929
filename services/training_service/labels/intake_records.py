"""What the trainer keeps of a record: pure reading, nothing is stored here."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import DeadLetterKind
from services.contracts.scoring import category_of
from services.contracts.topics import APPLICATION_SUBMITTED, JOB_POSTED, SCORE_LABELLED
from services.events.wire.event_codec import SourceRecord, event_time_seconds
from services.events.wire.event_reading import EventReader
from services.events.wire.job_records import PostedJob, read_posted_job
from services.events.wire.message_mapping import job_text
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted, ScoreLabelled

#: What a label with a category alone counts as: the middle of the category's range, in points.
CATEGORY_SCORES = {"excellent": 92.5, "good": 75.0, "fair": 55.0, "poor": 22.5}


@dataclass(frozen=True, slots=True)
class SeenApplication:
    """The texts of an application.

    Attributes:
        application_id: the application's id.
        job_id: the job applied for.
        resume: the resume's text.
        job_description: the job sent along, or None where it was posted.
        seen_time: when, in seconds since 1970.
    """

    application_id: str
    job_id: str
    resume: str = field(repr=False)
    job_description: str | None = field(repr=False)
    seen_time: float


@dataclass(frozen=True, slots=True)
class Label:
    """A person's judgement.

    Attributes:
        application_id: what was judged.
        rater: who judged.
        score: 0 to 100; of a category alone, the middle of its range.
        label_time: when, in seconds since 1970: the record's time, else its ``ce_time``, else that of its
            arrival; never later than now.
        resume, job_description: the texts sent along, or None.
    """

    application_id: str
    rater: str = field(repr=False)
    score: float
    label_time: float
    resume: str | None = field(default=None, repr=False)
    job_description: str | None = field(default=None, repr=False)


IntakeRecord = PostedJob | SeenApplication | Label


def read_record(record: SourceRecord, reader: EventReader) -> IntakeRecord:
    """Returns what a record of one of the three topics says.

    Raises:
        InvalidInput: it cannot be read, breaks a limit or, as a label, says nothing or contradicts itself.
    """
    return _READERS[record.topic](record, reader)


def read_label(record: SourceRecord, reader: EventReader) -> Label:
    """Returns the label that a record holds; see ``read_record``."""
    message = reader.read(record, ScoreLabelled)
    return Label(
        message.application_id,
        message.rater,
        _judged_score(message),
        _record_time(record),
        message.resume or None,
        message.job_description or None,
    )


def _judged_score(message: ScoreLabelled) -> float:
    if not message.HasField("score"):
        if not message.category:
            raise InvalidInput(
                DeadLetterKind.FIELD_LIMITS, [FieldViolation("score", "is required where category is empty")]
            )
        return CATEGORY_SCORES[message.category]
    if message.category not in ("", category_of(message.score)):
        raise InvalidInput(
            DeadLetterKind.INVALID_INPUT,
            [FieldViolation("category", "is not the category that the score lies in")],
        )
    return message.score


def _read_application(record: SourceRecord, reader: EventReader) -> SeenApplication:
    message = reader.read(record, ApplicationSubmitted)
    inline = job_text(message.job.title, message.job.description) if message.HasField("job") else None
    return SeenApplication(
        message.application_id, message.job_id, message.resume, inline, _record_time(record)
    )


def _record_time(record: SourceRecord) -> float:
    # A clock that runs ahead must not make its label outlive all later ones.
    now = time.time()
    if record.timestamp_ms is not None:
        return min(record.timestamp_ms / 1000, now)
    happened = event_time_seconds(record.headers, None)
    return now if happened is None else min(happened, now)


_READERS: dict[str, Callable[[SourceRecord, EventReader], IntakeRecord]] = {
    SCORE_LABELLED: read_label,
    APPLICATION_SUBMITTED: _read_application,
    JOB_POSTED: read_posted_job,
}
