"""Watches from outside of Faust whether the worker gets on: Kafka answers, and committed offsets move.

Faust can stop to fetch a partition, or never come back from a rebalance, without a word. Then only the
lag tells.
"""

import asyncio
import time

from services.contracts.topics import APPLICATION_SUBMITTED
from services.events.broker_contact import ANSWER_SECONDS, LOOK_SECONDS, BrokerContact
from services.events.kafka_client import client_options, settled
from services.events.kafka_types import Consumer, KafkaError, TopicPartition
from services.process.logging import get_logger
from services.process.settings import WorkerSettings
from services.scoring_worker.intake.delivery_check import DeliveryCheck
from services.scoring_worker.intake.stall_detector import StallDetector, Stand

log = get_logger(__name__)

READ_SECONDS = 5.0  # a record that is there is read within this time


class ProgressWatch:
    """Looks at the worker's partitions every few seconds.

    Args:
        check: asks Kafka for committed offsets and records.
    """

    def __init__(self, settings: WorkerSettings, check: DeliveryCheck) -> None:
        self._settings = settings
        self._check = check
        # An application may hold its partition back for as long as it waits for its job.
        self._stall_seconds = settings.worker_stall_seconds + settings.worker_job_wait_seconds
        self._detector = StallDetector()
        self._partitions: frozenset[int] | None = None
        self._contact = BrokerContact()
        self._is_stalled = False

    def on_assigned(self, partitions: frozenset[int]) -> None:
        """Notes which partitions of the applications topic the worker reads."""
        self._partitions = partitions

    def on_revoked(self) -> None:
        """Notes that it reads none until it is told again."""
        self._partitions = None

    def is_in_contact(self) -> bool:
        """Returns whether Kafka has answered within the last seconds."""
        return self._contact.is_in_contact()

    def is_moving(self) -> bool:
        """Returns False once there has been more to read for long, and nothing was committed."""
        return not self._is_stalled

    async def watch(self) -> None:
        """Looks until cancelled; while Kafka is away nothing counts as stalled."""
        consumer = Consumer(
            **client_options(self._settings), enable_auto_commit=False, auto_offset_reset="earliest"
        )
        try:
            await _start(consumer)
            while True:
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await self._look(consumer)
                    self._contact.note_answer()
                    await self._judge()
                except (KafkaError, OSError):  # TimeoutError is an OSError
                    self._contact.log_changes()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await consumer.stop()

    async def _look(self, consumer: Consumer) -> None:
        # Asked even for no partition of its own: the answer is the contact.
        partitions = self._partitions or frozenset()
        chosen = [TopicPartition(APPLICATION_SUBMITTED, each) for each in sorted(partitions or {0})]
        ends = await consumer.end_offsets(chosen)
        begins = await consumer.beginning_offsets(chosen)
        committed = await self._check.committed_offsets([each.partition for each in chosen])
        stands = {
            each.partition: Stand(max(committed[each.partition], begins[each]), ends[each])
            for each in chosen
            if each.partition in partitions
        }
        self._detector.look(time.monotonic(), stands, is_assigned=self._partitions is not None)

    async def _judge(self) -> None:
        now = time.monotonic()
        stalled = self._detector.stalled_partitions(now, self._stall_seconds)
        # The end may lie behind what nobody reads, such as the marks of a transaction.
        empty = {
            partition
            for partition, offset in stalled.items()
            if not await self._check.has_record_from(partition, offset, READ_SECONDS)
        }
        self._detector.forgive(empty)
        is_unassigned = self._detector.is_unassigned(now, self._stall_seconds)
        is_stalled = is_unassigned or bool(stalled.keys() - empty)
        if is_stalled and not self._is_stalled:
            log.error("reading stands still", partitions=sorted(stalled), is_unassigned=is_unassigned)
        self._is_stalled = is_stalled


async def _start(consumer: Consumer) -> None:
    while True:
        try:
            await settled(consumer.start())
        except KafkaError:
            await asyncio.sleep(LOOK_SECONDS)
        else:
            return
