"""Every job, as told by the compacted jobs topic from its beginning on.

Each worker follows all partitions without a consumer group, so any worker can score any
application and no partitioning has to match. Nothing here asks where a partition ends: the
development broker answers that wrongly, and a record that comes later is simply applied later.
"""

import asyncio
from collections.abc import Callable, Sequence

from services.contracts.errors import InvalidInput
from services.contracts.topics import JOB_POSTED
from services.events.kafka_types import Consumer, TopicPartition
from services.events.topic_follower import Batches, TopicFollower
from services.events.wire.event_codec import SourceRecord, source_record
from services.events.wire.event_reading import EventReader
from services.events.wire.job_records import read_posted_job
from services.process.settings import KafkaSettings
from services.scoring_worker.job_store import JobStore
from services.scoring_worker.metrics import WorkerMetrics


class JobView:
    """Follows the jobs topic.

    Attributes:
        caught_up: set once every partition has answered and a poll brought nothing new.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        metrics: WorkerMetrics,
        store: JobStore,
        on_posted: Callable[[str], None],
    ) -> None:
        """Describes the view.

        Args:
            settings: where Kafka is.
            on_posted: is told the id of every job that was stored, after it can be read.
        """
        self._follower = TopicFollower(settings, [JOB_POSTED], self._on_poll, self._on_connected)
        self._metrics = metrics
        self._store = store
        # The validator counts unknown fields, once a group and not at every start.
        self._reader = EventReader(settings.strict_fields)
        self._on_posted = on_posted
        self.caught_up = asyncio.Event()

    async def follow(self) -> None:
        """Keeps the view current until cancelled; reconnects by itself."""
        await self._follower.follow()

    async def _on_connected(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        # All is read again; applying a record twice changes nothing in the end. The broker may be another one
        # by now, whose offsets begin anew.
        self._store.forget_positions()
        await consumer.seek_to_beginning(*partitions)

    async def _on_poll(self, consumer: Consumer, batches: Batches) -> None:
        for records in batches.values():
            self._apply([source_record(record) for record in records])
        if not batches and self._has_every_partition_answered(consumer):
            self.caught_up.set()

    def _has_every_partition_answered(self, consumer: Consumer) -> bool:
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
        self._metrics.outdated_jobs.inc(self._store.apply(jobs))
        self._metrics.jobs.set(len(self._store))
        for job in jobs:
            if job.text is not None:
                self._on_posted(job.job_id)
