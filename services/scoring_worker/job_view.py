"""Every job, as told by the compacted jobs topic from its beginning on.

Each worker follows all partitions without a consumer group, so any worker can score any
application and no partitioning has to match. Nothing here asks where a partition ends: the
development broker answers that wrongly, and a record that comes later is simply applied later.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from services.contracts.errors import InvalidInput
from services.contracts.topics import JOB_POSTED
from services.service_kit.event_codec import SourceRecord, source_record
from services.service_kit.event_reading import EventReader
from services.service_kit.job_records import PostedJob, read_posted_job
from services.service_kit.kafka_client import open_consumer
from services.service_kit.logging import get_logger
from services.service_kit.metrics import ScoringMetrics
from services.service_kit.settings import Settings

log = get_logger(__name__)

POLL_MILLISECONDS = 500
MAX_POLL_RECORDS = 500
RECONNECT_SECONDS = 1.0
LOOK_FOR_PARTITIONS_MILLISECONDS = 10_000


class JobStore:
    """Texts of jobs by id, in a private database on disk that vanishes with the process."""

    def __init__(self) -> None:
        # An empty name is SQLite's for a temporary file that nobody else can open; it stays in the
        # page cache until memory is short.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE jobs (job_id TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID")
        self._num_jobs = 0  # counted along, since SQLite counts by reading everything

    def __len__(self) -> int:
        return self._num_jobs

    def apply(self, jobs: Iterable[PostedJob]) -> None:
        """Stores, replaces and deletes jobs, in order."""
        self._database.execute("BEGIN")
        for job in jobs:
            self._num_jobs += (
                self._delete(job.job_id) if job.text is None else self._put(job.job_id, job.text)
            )
        self._database.execute("COMMIT")

    def text_of(self, job_id: str) -> str | None:
        """Returns the text of a job, or None if it is not known."""
        row = self._database.execute("SELECT text FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Gives the file back."""
        self._database.close()

    def _put(self, job_id: str, text: str) -> int:
        replaced = self._database.execute(
            "UPDATE jobs SET text = ? WHERE job_id = ?", (text, job_id)
        ).rowcount
        if replaced:
            return 0
        self._database.execute("INSERT INTO jobs VALUES (?, ?)", (job_id, text))
        return 1

    def _delete(self, job_id: str) -> int:
        return -self._database.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,)).rowcount


class JobView:
    """Follows the jobs topic.

    Attributes:
        caught_up: set once every partition has answered and a poll brought nothing new.
    """

    def __init__(
        self, settings: Settings, metrics: ScoringMetrics, on_posted: Callable[[str], None] = lambda _: None
    ) -> None:
        """Describes the view.

        Args:
            on_posted: is told the id of every job that was stored, after it can be read.
        """
        self._settings = settings
        self._metrics = metrics
        self._store = JobStore()
        # The validator counts unknown fields, once a group and not at every start.
        self._reader = EventReader(settings.strict_fields)
        self.on_posted = on_posted
        self.caught_up = asyncio.Event()

    def text_of(self, job_id: str) -> str | None:
        """Returns title and description of a job, or None if it is not known (yet)."""
        return self._store.text_of(job_id)

    async def follow(self) -> None:
        """Keeps the view current until cancelled; reconnects by itself."""
        while True:
            try:
                await self._follow_connection()
            except KafkaError as error:
                log.warning("job view lost Kafka, reconnecting", error=type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    def close(self) -> None:
        """Forgets the jobs; not before ``follow`` has ended."""
        self._store.close()

    async def _follow_connection(self) -> None:
        # Without a group, every partition is this consumer's, new ones included, from the beginning.
        # A reconnect reads everything again; applying a record twice changes nothing in the end.
        options = {"metadata_max_age_ms": LOOK_FOR_PARTITIONS_MILLISECONDS}
        async with open_consumer(self._settings, JOB_POSTED, **options) as consumer:
            while True:
                batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=MAX_POLL_RECORDS)
                for records in batches.values():
                    self._apply([source_record(record) for record in records])
                if not batches and self._has_every_partition_answered(consumer):
                    self.caught_up.set()

    def _has_every_partition_answered(self, consumer: AIOKafkaConsumer) -> bool:
        assigned = consumer.assignment()
        return bool(assigned) and all(consumer.highwater(partition) is not None for partition in assigned)

    def _apply(self, records: list[SourceRecord]) -> None:
        jobs = []
        for record in records:
            try:
                jobs.append(read_posted_job(record, self._reader))
            except InvalidInput:
                # The last good version of the job stays. Every worker sees this record at every
                # start, so the one dead letter comes from the validator, which works in the group.
                self._metrics.skipped_jobs.inc()
        self._store.apply(jobs)
        self._metrics.jobs.set(len(self._store))
        for job in jobs:
            if job.text is not None:
                self.on_posted(job.job_id)
