"""What tests do with Kafka: post jobs, send applications, read what came out."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import ConsumerRecord
from prometheus_client import CollectorRegistry

from services.contracts.topics import (
    APPLICATION_SCORED,
    APPLICATION_SUBMITTED,
    JOB_POSTED,
    dead_letter_topic,
)
from services.events.kafka_client import Headers, open_consumer, start_producer
from services.process.settings import Settings
from services.scoring_worker.app import run_worker
from services.scoring_worker.metrics import WorkerMetrics
from tests.doubles.scorer import FakeScorer

Record = ConsumerRecord[bytes, bytes]
APPLICATION_DEAD_LETTERS = dead_letter_topic(APPLICATION_SUBMITTED)
JOB_DEAD_LETTERS = dead_letter_topic(JOB_POSTED)
PATIENCE_SECONDS = 30.0
# Where tests, and programs of tests, find a broker that is not the embedded one.
BOOTSTRAP_SERVERS = "SCORER_KAFKA_BOOTSTRAP_SERVERS"


class KafkaDesk:
    """Sees only its own records on a broker that others may use: its ids share a prefix."""

    def __init__(self, settings: Settings, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.settings = settings
        self.prefix = uuid.uuid4().hex[:8]
        self.patience_seconds = patience_seconds

    async def __aenter__(self) -> "KafkaDesk":
        self._producer = await start_producer(self.settings)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    def name(self, word: str) -> str:
        return f"{self.prefix}-{word}"

    async def post_job(self, job: str, description: str = "Build the thing", **fields: Any) -> None:
        value = {"job_id": self.name(job), "title": "Engineer", "description": description, **fields}
        await self.send(JOB_POSTED, job, json.dumps(value).encode())

    async def delete_job(self, job: str) -> None:
        await self.send(JOB_POSTED, job, None)

    async def apply(self, application: str, job_id: str, resume: str = "Knows Kafka", **fields: Any) -> None:
        await self.send(
            APPLICATION_SUBMITTED, job_id, self.application(application, job_id, resume, **fields)
        )

    def application(
        self, application: str, job_id: str, resume: object = "Knows Kafka", **fields: Any
    ) -> bytes:
        value = {
            "application_id": self.name(application),
            "job_id": self.name(job_id),
            "resume": resume,
            **fields,
        }
        return json.dumps(value).encode()

    async def send(self, topic: str, key: str, value: bytes | None, headers: Headers = ()) -> None:
        await self._producer.send(topic, key=self.name(key).encode(), value=value, headers=list(headers))

    async def flush(self) -> None:
        await self._producer.flush()

    async def read(
        self, topic: str, until: Callable[[list[Record]], bool], *, at_once: bool = False
    ) -> list[Record]:
        """Returns this desk's records once they satisfy `until` and, unless at_once, no more come."""
        found: list[Record] = []
        deadline = time.monotonic() + self.patience_seconds
        async with open_consumer(self.settings, topic) as consumer:
            while time.monotonic() < deadline:
                batches = await consumer.getmany(timeout_ms=300)
                for records in batches.values():
                    found += [r for r in records if (r.key or b"").startswith(self.prefix.encode())]
                if (at_once or not batches) and until(found):
                    return found
        raise TimeoutError(f"{topic}: {len(found)} records are not what was waited for")

    async def scores(self, count: int) -> dict[str, dict[str, Any]]:
        """Returns the scored applications by their short names, once ``count`` different ones are there."""
        records = await self.read(APPLICATION_SCORED, lambda found: len({r.key for r in found}) >= count)
        return {r.key.decode().removeprefix(f"{self.prefix}-"): json.loads(r.value) for r in records}

    async def dead_letters(self, count: int, topic: str = APPLICATION_DEAD_LETTERS) -> list[Record]:
        return await self.read(topic, lambda found: len(found) >= count)

    @asynccontextmanager
    async def worker(self, scorer: FakeScorer | None = None, **changes: Any) -> AsyncIterator[WorkerMetrics]:
        """Runs a worker while the context lasts, and stops it in order; changes are of the settings."""
        settings = self.settings.model_copy(update=changes)
        metrics = WorkerMetrics(CollectorRegistry())
        stop = asyncio.Event()
        running = asyncio.create_task(run_worker(settings, scorer or FakeScorer(), metrics, stop=stop))
        try:
            yield metrics
        finally:
            stop.set()
            await running


def kind_of(record: Record) -> str:
    return dict(record.headers)["scorer.error.kind"].decode()
