"""Sends dead letters back to the topic that they came from, each one once.

What was sent is remembered in Kafka, as committed offsets of a consumer group for each kind of error: so one
kind can be replayed while others wait, and no letter is found again. A letter is committed once the broker
has its record; a replay that is killed between the two, or a second one beside it, may send that one twice.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, IllegalStateError

from services.contracts.errors import ScorerError
from services.contracts.topics import SCORE_LABELLED, dead_letter_topic
from services.events.dead_letters import HEADER_PREFIX
from services.events.kafka_client import open_admin, open_consumer, publish
from services.process.settings import WorkerSettings

REPLAYS_HEADER = "scorer.replays"  # how often this record was sent again, in digits
POLL_MILLISECONDS = 1000
MAX_POLL_RECORDS = 100
ASSIGNMENT_SECONDS = 30.0  # a group that was left without a word is free after its session timeout
IDLE_POLLS = 10  # retention may have removed what was counted
TAKEN_OVER = "another replay took these dead letters over"
_MAX_DIGITS = 10
_NO_VALUE = frozenset((f"{HEADER_PREFIX}value_omitted", f"{HEADER_PREFIX}is_raw"))
KIND = re.compile(r"[a-z_]{1,40}")

Letter: TypeAlias = "ConsumerRecord[bytes, bytes]"


class ReplayInterrupted(ScorerError):
    """Another replay has the dead letters of this kind, or took them over."""


@dataclass(slots=True)
class Waiting:
    """The dead letters of one kind that were not sent again.

    Attributes:
        num_letters: that can be sent.
        num_without_value: whose value was too large or could not be decoded; they are passed over.
        last_offsets: of the last of them in each partition.
    """

    num_letters: int = 0
    num_without_value: int = 0
    last_offsets: dict[TopicPartition, int] = field(default_factory=dict)

    def add(self, letter: Letter) -> None:
        """Counts one more, in the order of its partition."""
        self.last_offsets[partition_of(letter)] = letter.offset
        if has_value(letter):
            self.num_letters += 1
        else:
            self.num_without_value += 1


class DeadLetterReplay:
    """Replays the dead letters of one topic.

    Args:
        settings: where Kafka is; groups are named after ``worker_group``.
    """

    def __init__(self, settings: WorkerSettings, topic: str) -> None:
        self._settings = settings
        self._topic = topic
        self._dead_letters = dead_letter_topic(topic)

    async def waiting(self, kinds: Collection[str] = ()) -> dict[str, Waiting]:
        """Returns what waits now, by kind.

        Args:
            kinds: to look for; empty: all.

        Raises:
            KafkaError: no answer.
        """
        found: dict[str, Waiting] = {}
        committed: dict[tuple[str, TopicPartition], int] = {}
        async with open_admin(self._settings) as admin, aclosing(self._all_letters()) as letters:
            async for letter in letters:
                kind = kind_of(letter)
                if kind is None or (kinds and kind not in kinds):
                    continue
                part = kind, partition_of(letter)
                if part not in committed:
                    committed[part] = await self._committed(admin, *part)
                if letter.offset >= committed[part]:
                    found.setdefault(kind, Waiting()).add(letter)
        return found

    async def send(
        self, producer: AIOKafkaProducer, waiting: Mapping[str, Waiting], limit: int | None = None
    ) -> Counter[str]:
        """Sends what was found waiting, kind by kind, the oldest first; what came since is left alone.

        A record that fails again comes back as a new dead letter, which this call does not touch.

        Args:
            producer: writes to the source topic.
            waiting: as ``waiting`` returned it.
            limit: of letters in all; None: every one.

        Returns:
            How many were sent, by kind.

        Raises:
            ReplayInterrupted: another replay has them.
            KafkaError: the broker refuses.
        """
        num_sent: Counter[str] = Counter()
        for kind, letters in sorted(waiting.items()):
            async with aclosing(self._letters_of(kind, letters)) as found:
                async for letter in found:
                    if num_sent.total() == limit:
                        return num_sent
                    if has_value(letter):
                        await self._send(producer, letter)
                        num_sent[kind] += 1
        return num_sent

    async def _send(self, producer: AIOKafkaProducer, letter: Letter) -> None:
        await publish(
            producer,
            self._topic,
            key=letter.key,
            value=letter.value,
            headers=replayed_headers(letter.headers),
            # A label's time tells which of two is newer. Of other records it only tells how soon they are
            # removed again, and they are to be read first.
            timestamp_ms=letter.timestamp if self._topic == SCORE_LABELLED else None,
        )

    async def _letters_of(self, kind: str, waiting: Waiting) -> AsyncGenerator[Letter]:
        """Yields the letters of a kind, and commits each one when the next is asked for."""
        pending = dict(waiting.last_offsets)
        # When another replay joins, Kafka gives the partitions anew, and they are read again from the last
        # commit while letters behind it are still in flight here.
        next_offsets: dict[TopicPartition, int] = {}
        async with self._member(kind) as consumer, aclosing(_polled(consumer, pending)) as letters:
            async for letter in letters:
                partition = partition_of(letter)
                last = pending.get(partition, -1)  # what came since lies behind it
                if next_offsets.get(partition, 0) <= letter.offset <= last and kind_of(letter) == kind:
                    if partition not in consumer.assignment():
                        raise ReplayInterrupted(TAKEN_OVER)
                    next_offsets[partition] = letter.offset + 1
                    yield letter
                    await _commit(consumer, partition, letter.offset + 1)
                if letter.offset >= last:
                    pending.pop(partition, None)

    @asynccontextmanager
    async def _member(self, kind: str) -> AsyncIterator[AIOKafkaConsumer]:
        """Joins the group of a kind, so that a replay knows of another one."""
        session_ms = round(self._settings.kafka_session_timeout_seconds * 1000)
        options = {
            "group_id": self._group(kind),
            "session_timeout_ms": session_ms,
            "heartbeat_interval_ms": session_ms // 3,
        }
        async with open_consumer(self._settings, self._dead_letters, **options) as consumer:
            try:
                async with asyncio.timeout(ASSIGNMENT_SECONDS):
                    while not consumer.assignment():
                        await asyncio.sleep(0.05)
            except TimeoutError as error:
                raise ReplayInterrupted(f"another replay of {kind} goes on") from error
            yield consumer

    async def _all_letters(self) -> AsyncGenerator[Letter]:
        async with open_consumer(self._settings, self._dead_letters) as consumer:
            while True:
                batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS)
                for letters in batches.values():
                    for letter in letters:
                        yield letter
                if not batches and await _is_at_end(consumer):
                    return

    async def _committed(self, admin: AIOKafkaAdminClient, kind: str, partition: TopicPartition) -> int:
        offsets = await admin.list_consumer_group_offsets(self._group(kind), partitions=[partition])
        return int(offsets[partition].offset)  # -1: none yet

    def _group(self, kind: str) -> str:
        return f"{self._settings.worker_group}-replay-{kind}"


def kind_of(letter: Letter) -> str | None:
    """Returns why a record became a dead letter; None where that cannot be read."""
    kind = (dict(letter.headers).get(f"{HEADER_PREFIX}kind") or b"").decode("ascii", "replace")
    return kind if KIND.fullmatch(kind) else None


def partition_of(letter: Letter) -> TopicPartition:
    """Returns the partition that a letter lies in."""
    return TopicPartition(letter.topic, letter.partition)


def has_value(letter: Letter) -> bool:
    """Returns whether the letter holds the record's value: it may have been too large, or never decoded."""
    return not _NO_VALUE.intersection(name for name, _ in letter.headers)


def replayed_headers(headers: Collection[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Returns the record's own headers, and how often it was sent again."""
    before = dict(headers).get(REPLAYS_HEADER) or b"0"
    num_replays = int(before) if before.isdigit() and len(before) < _MAX_DIGITS else 0
    own = [(name, value) for name, value in headers if not name.startswith((HEADER_PREFIX, REPLAYS_HEADER))]
    return [*own, (REPLAYS_HEADER, str(num_replays + 1).encode())]


async def _polled(
    consumer: AIOKafkaConsumer, pending: Mapping[TopicPartition, int]
) -> AsyncGenerator[Letter]:
    """Yields letters of any kind while some are pending, and as long as any come."""
    num_idle = 0
    while pending and num_idle < IDLE_POLLS:
        batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=MAX_POLL_RECORDS)
        num_idle = 0 if batches else num_idle + 1
        for letters in batches.values():
            for letter in letters:
                yield letter


async def _commit(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> None:
    try:
        await consumer.commit({partition: offset})
    except (CommitFailedError, IllegalStateError) as error:
        raise ReplayInterrupted(TAKEN_OVER) from error


async def _is_at_end(consumer: AIOKafkaConsumer) -> bool:
    # The development broker gives ends too low, so nothing new must have come either.
    partitions: set[Any] = consumer.assignment()
    for partition in partitions:
        highwater = consumer.highwater(partition)
        if highwater is None or await consumer.position(partition) < highwater:
            return False
    return bool(partitions)
