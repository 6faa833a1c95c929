"""From the topics into the label store: each record once, however often the trainer is killed.

The offsets stand in the store, in the transaction of the records before them; the broker keeps none.
"""

import asyncio
from collections.abc import Sequence

from services.contracts.errors import InvalidInput
from services.contracts.topics import APPLICATION_SUBMITTED, JOB_POSTED, SCORE_LABELLED
from services.events.dead_letters import DeadLetters
from services.events.kafka_types import Consumer, TopicPartition
from services.events.topic_follower import Batches, TopicFollower
from services.events.wire.event_codec import SourceRecord, known_time, source_record
from services.events.wire.event_reading import EventReader
from services.process.logging import get_logger
from services.process.settings import KafkaSettings
from services.training_service.labels.intake_records import IntakeRecord, read_record
from services.training_service.labels.label_store import LabelStore, ReadPosition
from services.training_service.metrics import TrainerMetrics

log = get_logger(__name__)

TOPICS = (JOB_POSTED, APPLICATION_SUBMITTED, SCORE_LABELLED)


class LabelIntake:
    """Reads jobs, applications and labels.

    Args:
        settings: where Kafka is.
        dead_letters: take the labels that cannot be read.
    """

    def __init__(
        self, settings: KafkaSettings, store: LabelStore, dead_letters: DeadLetters, metrics: TrainerMetrics
    ) -> None:
        self._follower = TopicFollower(settings, TOPICS, self._take, self._seek)
        self._store = store
        self._dead_letters = dead_letters
        self._metrics = metrics
        self._reader = EventReader(settings.strict_fields, metrics.dead_letters)
        # What was read last, until the first records of a connection show that it is still there.
        self._last_read: dict[TopicPartition, ReadPosition] = {}

    def is_connected(self) -> bool:
        """Returns whether the topics are being read."""
        return self._follower.is_connected

    async def follow(self) -> None:
        """Reads until cancelled; reconnects by itself.

        Raises:
            sqlite3.Error: the store cannot be written; what was read last is read again after a restart.
        """
        await self._follower.follow()

    async def _seek(self, consumer: Consumer, assigned: Sequence[TopicPartition]) -> None:
        """Goes back to the last record of each partition, by which it is known again."""
        stored = await asyncio.to_thread(self._store.positions)
        begins = await consumer.beginning_offsets(assigned)
        ends = await consumer.end_offsets(assigned)
        self._last_read = {}
        for partition in assigned:
            begin = begins[partition]
            last = stored.get((partition.topic, partition.partition), ReadPosition(0))
            consumer.seek(partition, begin)
            if last.next_offset > ends[partition]:
                # Another broker, or the development one, which forgets all and gives its ends too low.
                await self._begin_anew(partition)
            elif last.next_offset > begin:
                consumer.seek(partition, last.next_offset - 1)
                self._last_read[partition] = last
            elif last.next_offset < begin:
                log.warning(
                    "records were deleted before they were read",
                    topic=partition.topic,
                    partition=partition.partition,
                    count=begin - last.next_offset,
                )

    async def _take(self, consumer: Consumer, batches: Batches) -> None:
        records: list[IntakeRecord] = []
        positions = {}
        for partition, batch in batches.items():
            last = self._last_read.pop(partition, None)
            if last is not None and batch[0].offset == last.next_offset - 1:
                if known_time(batch[0].timestamp) != last.last_time_ms:
                    await self._begin_anew(partition)
                    await consumer.seek_to_beginning(partition)
                    continue
                batch = batch[1:]
            for raw in batch:
                record = source_record(raw)
                try:
                    records.append(read_record(record, self._reader))
                except InvalidInput as error:
                    await self._to_dead_letters(record, error)
            if batch:
                position = ReadPosition(batch[-1].offset + 1, known_time(batch[-1].timestamp))
                positions[partition.topic, partition.partition] = position
        if not positions:
            return
        outcomes = await asyncio.to_thread(self._store.apply, records, positions)
        for outcome, count in outcomes.items():
            self._metrics.labels.labels(outcome).inc(count)

    async def _begin_anew(self, partition: TopicPartition) -> None:
        # Reading again changes nothing in the store.
        log.info(
            "the partition is not the one that was read before, reading from its beginning",
            topic=partition.topic,
            partition=partition.partition,
        )
        if partition.topic == JOB_POSTED:
            await asyncio.to_thread(self._store.forget_positions_of_jobs, partition.partition)

    async def _to_dead_letters(self, record: SourceRecord, error: InvalidInput) -> None:
        # Bad jobs and applications become dead letters of the worker, which reads them too.
        if record.topic == SCORE_LABELLED:
            await self._dead_letters.put(record, error.kind, str(error))
            self._metrics.labels.labels("rejected").inc()
        elif record.damage is not None:
            self._metrics.dead_letters.count_undecodable(record.topic)
