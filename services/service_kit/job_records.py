"""Reads one record of the jobs topic: one rule for the worker's view, its validator and the trainer."""

from dataclasses import dataclass, field

from services.contracts.errors import FieldViolation, InvalidInput
from services.pb.scoring.v1.events_pb2 import JobPosted
from services.service_kit.event_codec import SourceRecord, check_decoded
from services.service_kit.event_reading import EventReader
from services.service_kit.message_mapping import job_text


@dataclass(frozen=True, slots=True)
class PostedJob:
    """What a record says about a job.

    Attributes:
        job_id: the job's id.
        text: title and description, or None if the job is deleted.
    """

    job_id: str
    text: str | None = field(repr=False)


def read_posted_job(record: SourceRecord, reader: EventReader) -> PostedJob:
    """Returns what a record of the jobs topic says.

    Raises:
        InvalidInput: it cannot be read, or its key is not its job_id: then compaction and deletion
            would hit another job.
    """
    check_decoded(record)
    key = _read_key(record.key)
    if not record.value:
        if not key:
            raise InvalidInput("field_limits", [FieldViolation("key", "a deletion needs the job_id as key")])
        return PostedJob(key, None)
    job = reader.read(record, JobPosted)
    if key not in (None, job.job_id):
        raise InvalidInput("field_limits", [FieldViolation("key", "differs from job_id")])
    return PostedJob(job.job_id, job_text(job.title, job.description))


def _read_key(key: bytes | None) -> str | None:
    try:
        return None if key is None else key.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("bad_encoding", [FieldViolation("key", "not UTF-8")]) from error
