"""Applications sent, and what came of each: the counts by which a fault is judged."""

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka.errors import KafkaError

from services.contracts.topics import APPLICATION_SCORED
from services.devkit.embedded_broker import EmbeddedBroker
from services.events.kafka_client import create_topics, open_consumer
from services.process.settings import Settings, load_settings
from tests.doubles import texts
from tests.doubles.kafka_desk import APPLICATION_DEAD_LETTERS, BOOTSTRAP_SERVERS, KafkaDesk

NUM_JOBS = 20
POLL_MILLISECONDS = 300
RECONNECT_SECONDS = 0.5
NUM_DISTINCT_RESUMES = 200
# What a score may say differently each time it is computed: how long that took.
VARYING_FIELDS = ("timings",)


class Applications:
    """Sends applications and follows what comes out.

    Attributes:
        sent: ids of the applications.
        results: for each id every score that was published, without its timings.
        put_aside: ids in the dead letters.
    """

    def __init__(self, desk: KafkaDesk) -> None:
        self._desk = desk
        self._jobs = texts.jobs(NUM_JOBS)
        self._resumes = texts.resumes(NUM_DISTINCT_RESUMES, seed=7)
        self.sent: list[str] = []
        self.results: dict[str, list[str]] = {}
        self.put_aside: set[str] = set()

    async def post_jobs(self) -> None:
        for job in self._jobs:
            await self._desk.post_job(job.job_id, job.description, title=job.title)
        await self._desk.flush()

    async def send(self, count: int) -> None:
        numbers = range(len(self.sent), len(self.sent) + count)
        await self.send_texts(
            [f"{self._resumes[number % len(self._resumes)]}\n\nNumber {number}." for number in numbers]
        )

    async def send_texts(self, resumes: Iterable[str]) -> None:
        for number, resume in enumerate(resumes, start=len(self.sent)):
            await self._desk.apply(f"a-{number}", self._jobs[number % NUM_JOBS].job_id, resume)
            self.sent.append(self._desk.name(f"a-{number}"))
        await self._desk.flush()

    @property
    def num_done(self) -> int:
        return len(self.results.keys() | self.put_aside)

    async def until(self, num_done: int, seconds: float) -> None:
        """Returns when so many applications have a score or a dead letter."""
        deadline = time.monotonic() + seconds
        while self.num_done < num_done:
            if time.monotonic() > deadline:
                missing = sorted(set(self.sent) - self.results.keys() - self.put_aside)
                raise TimeoutError(f"{self.num_done} of {num_done} after {seconds} s; not {missing[:20]}")
            await asyncio.sleep(0.05)

    def counts(self) -> dict[str, int]:
        """Returns sent, scored, lost, repeated, and how many repeated scores were not the same."""
        done = self.results.keys() | self.put_aside
        return {
            "sent": len(self.sent),
            "scored": len(self.results.keys() & set(self.sent)),
            "dead_letters": len(self.put_aside),
            "lost": len(set(self.sent) - done),
            "repeated": sum(len(each) - 1 for each in self.results.values()),
            "differing": sum(len(set(each)) > 1 for each in self.results.values()),
        }

    async def follow(self) -> None:
        """Reads results until cancelled, through whatever happens to the broker."""
        places: dict[Any, int] = {}
        while True:
            with suppress(KafkaError):
                await self._follow_connection(places)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _follow_connection(self, places: dict[Any, int]) -> None:
        topics = (APPLICATION_SCORED, APPLICATION_DEAD_LETTERS)
        async with open_consumer(self._desk.settings, *topics) as consumer:
            for place in consumer.assignment() & places.keys():
                consumer.seek(place, places[place])
            while True:
                batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS)
                for place, records in batches.items():
                    places[place] = records[-1].offset + 1
                    self._take(place.topic, records)

    def _take(self, topic: str, records: Iterable[Any]) -> None:
        for record in records:
            if not (record.key or b"").startswith(self._desk.prefix.encode()):
                continue
            content = json.loads(record.value)
            if topic == APPLICATION_DEAD_LETTERS:
                self.put_aside.add(content["application_id"])
                continue
            for name in VARYING_FIELDS:
                content.pop(name, None)
            self.results.setdefault(content["application_id"], []).append(json.dumps(content, sort_keys=True))


def fault_settings(bootstrap_servers: str, **changes: object) -> Settings:
    """Returns settings with a group of their own."""
    return load_settings(
        kafka_bootstrap_servers=bootstrap_servers,
        kafka_session_timeout_seconds=2.0,
        kafka_num_partitions=8,
        worker_group=f"faults-{uuid.uuid4()}",
        **changes,
    )


def is_broker_embedded() -> bool:
    """Returns whether faults run on the embedded broker, and not on one that the environment names."""
    return not os.environ.get(BOOTSTRAP_SERVERS)


@asynccontextmanager
async def any_broker() -> AsyncIterator[str]:
    """Yields the address of the embedded broker, or of the one that the environment names."""
    if not is_broker_embedded():
        yield os.environ[BOOTSTRAP_SERVERS]
        return
    with EmbeddedBroker() as broker:
        yield broker.bootstrap_servers


@asynccontextmanager
async def sending(settings: Settings) -> AsyncIterator[Applications]:
    """Yields applications that are sent to and followed on the broker of the settings; jobs are posted."""
    await create_topics(settings)
    async with KafkaDesk(settings) as desk:
        applications = Applications(desk)
        await applications.post_jobs()
        following = asyncio.create_task(applications.follow())
        try:
            yield applications
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
