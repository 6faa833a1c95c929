"""Reads one record of the jobs topic, and tells which of two is the newer: one rule for worker and trainer.

An older posting never replaces a newer one, however it comes: sent again by a platform that retries, without
a key on another partition, or from the topic's beginning.
"""

import math
from dataclasses import dataclass, field

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import DeadLetterKind
from services.events.wire.event_codec import SourceRecord, check_decoded
from services.events.wire.event_reading import EventReader
from services.events.wire.message_mapping import job_text
from services.pb.scoring.v1.events_pb2 import JobPosted

MILLISECONDS_PER_SECOND = 1000
UNKNOWN = -1  # no partition has this number


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides which of two records of a job counts.

    Attributes:
        is_deleted: whether it deletes the job.
        version: of the posting, or None.
        post_time_ms: of the posting, in milliseconds since 1970, or None.
        partition: that it was read from; ``UNKNOWN`` where that is another topic's by now.
        offset: in the partition.
        time_ms: of the record, in milliseconds since 1970, or None.
    """

    is_deleted: bool = False
    version: int | None = None
    post_time_ms: int | None = None
    partition: int = UNKNOWN
    offset: int = 0
    time_ms: int | None = None

    def replaces(self, stored: "Standing") -> bool:
        """Returns whether this record counts from now on, and not the stored one.

        The higher version does; a posting without one never replaces one that has it. Of equal versions, or
        none, the later ``post_time`` does, and again one without never replaces one that has it. What is left
        is the order of the records: the higher offset of one partition; between partitions the later time of
        the record; between equal ones whichever is read last.

        A deletion ends all that stood before it in the order of the records, whatever its version.
        """
        if not (self.is_deleted or stored.is_deleted):
            for mine, other in (
                (self.version, stored.version),
                (self.post_time_ms, stored.post_time_ms),
            ):
                if mine != other:
                    return _known(mine) > _known(other)
        return self._is_later(stored)

    def _is_later(self, stored: "Standing") -> bool:
        if self.partition == stored.partition != UNKNOWN:
            return self.offset >= stored.offset
        return _known(self.time_ms) >= _known(stored.time_ms)


@dataclass(frozen=True, slots=True)
class PostedJob:
    """What a record says about a job.

    Attributes:
        job_id: the job's id.
        text: title and description, or None if the job is deleted.
        standing: decides whether it replaces another record of the job.
    """

    job_id: str
    text: str | None = field(repr=False)
    standing: Standing = field(default_factory=Standing)


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
            raise InvalidInput(
                DeadLetterKind.FIELD_LIMITS, [FieldViolation("key", "a deletion needs the job_id as key")]
            )
        return PostedJob(key, None, _standing(record, JobPosted(), is_deleted=True))
    job = reader.read(record, JobPosted)
    if key not in (None, job.job_id):
        raise InvalidInput(DeadLetterKind.FIELD_LIMITS, [FieldViolation("key", "differs from job_id")])
    return PostedJob(job.job_id, job_text(job.title, job.description), _standing(record, job))


def _standing(record: SourceRecord, job: JobPosted, *, is_deleted: bool = False) -> Standing:
    return Standing(
        is_deleted=is_deleted,
        version=job.version if job.HasField("version") else None,
        post_time_ms=job.post_time.ToMilliseconds() if job.HasField("post_time") else None,
        partition=record.partition,
        offset=record.offset,
        time_ms=record.timestamp_ms,
    )


def _known(value: int | None) -> float:
    return -math.inf if value is None else value


def _read_key(key: bytes | None) -> str | None:
    try:
        return None if key is None else key.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(DeadLetterKind.BAD_ENCODING, [FieldViolation("key", "not UTF-8")]) from error
