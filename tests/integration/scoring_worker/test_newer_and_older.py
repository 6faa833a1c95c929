"""Corrected resumes and changed jobs on a real broker: the newer stays, and results tell what they are of."""

import asyncio
import hashlib
import json
import uuid
from typing import Any

from services.contracts.scoring import PairRequest, PairScore
from services.contracts.topics import APPLICATION_SCORED, JOB_POSTED
from tests.doubles.kafka_desk import KafkaDesk, Record
from tests.doubles.scorer import FakeScorer, fake_score
from tests.doubles.waiting import until

SLOW_SECONDS = 0.4


class UnevenScorer(FakeScorer):
    """Takes long for resumes that say so."""

    async def score(self, request: PairRequest) -> PairScore:
        await asyncio.sleep(SLOW_SECONDS if "slow" in request.resume else 0.0)
        return await super().score(request)


class HeldScorer(FakeScorer):
    """Gives no score before its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def score(self, request: PairRequest) -> PairScore:
        await self.gate.wait()
        return await super().score(request)


def num_corrected(records: list[Record]) -> int:
    return len({each.key for each in records if value_of(each)["resume_sha256"] == sha256("corrected")})


async def results(desk: KafkaDesk, count: int) -> list[Record]:
    return await desk.read(APPLICATION_SCORED, lambda found: len(found) >= count)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def id_of(record: Record) -> bytes:
    return dict(record.headers)["ce_id"]


def value_of(record: Record) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(record.value)
    return value


async def test_the_last_result_of_an_application_is_that_of_its_corrected_resume(desk: KafkaDesk) -> None:
    await desk.post_job("a")
    for number in range(10):
        await desk.apply(f"x-{number}", "a", "slow and old")
        await desk.apply(f"x-{number}", "a", "corrected")
    await desk.flush()

    async with desk.worker(UnevenScorer()):
        records = await results(desk, 20)

    last = {record.key: value_of(record) for record in records}
    assert {value["resume_sha256"] for value in last.values()} == {sha256("corrected")}
    of_one = [value_of(record) for record in records if record.key == records[0].key]
    assert [value["resume_sha256"] for value in of_one] == [sha256("slow and old"), sha256("corrected")]


async def test_what_a_worker_has_in_hand_of_a_partition_it_lost_is_not_published_over_a_corrected_resume(
    desk: KafkaDesk,
) -> None:
    num_jobs = 8
    for number in range(num_jobs):
        await desk.post_job(f"job-{number}")
        await desk.apply(f"x-{number}", f"job-{number}", "old")
    await desk.flush()

    scorer = HeldScorer()
    async with desk.worker(scorer) as first:
        in_flight = first.registry.get_sample_value
        await until(lambda: in_flight("scoring_in_flight_applications") == num_jobs)
        async with desk.worker():
            await results(desk, 1)  # so it has its partitions
            for number in range(num_jobs):
                await desk.apply(f"x-{number}", f"job-{number}", "corrected")
            await desk.flush()
            await desk.read(APPLICATION_SCORED, lambda found: num_corrected(found) >= 1)
            scorer.gate.set()
            records = await desk.read(APPLICATION_SCORED, lambda found: num_corrected(found) == num_jobs)
    records = await results(desk, len(records))

    last = {record.key: value_of(record) for record in records}
    assert {value["resume_sha256"] for value in last.values()} == {sha256("corrected")}


async def test_a_result_tells_what_it_is_of_and_its_id_depends_on_that(desk: KafkaDesk) -> None:
    await desk.post_job("a", "Old words", version=1)
    await desk.apply("x", "a")
    await desk.flush()
    for description, version in (("Old words", 1), ("Old words", 1), ("New words", 2)):
        await desk.post_job("a", description, version=version)
        await desk.flush()
        # Another group reads the same record again, as one does after a crash.
        async with desk.worker(worker_group=f"test-{uuid.uuid4()}"):
            num_before = getattr(desk, "num_results", 0)
            records = await results(desk, num_before + 1)
            desk.num_results = num_before + 1  # type: ignore[attr-defined]

    first, again, changed = records
    value = value_of(changed)
    assert value["resume_sha256"] == sha256("Knows Kafka")
    assert value["job_sha256"] == sha256("Engineer\n\nNew words")
    assert (value["job_version"], value_of(first)["job_version"]) == ("2", "1")
    assert value["source"]["topic"] == "recruiting.application.submitted.v1"
    assert value["source"]["offset"] == "0"
    assert value["source"]["time"].endswith("Z")
    assert id_of(first) == id_of(again)
    assert id_of(first) != id_of(changed)


async def test_an_older_posting_does_not_replace_a_newer_one_whatever_way_it_comes(
    desk: KafkaDesk,
) -> None:
    await desk.post_job("a", "Version two", version=2)
    await desk.post_job("a", "Version one", version=1)
    await desk.post_job("b", "Later", post_time="2026-01-02T00:00:00Z")
    old = {"job_id": desk.name("b"), "description": "Earlier", "post_time": "2026-01-01T00:00:00Z"}
    await desk.flush()
    for _ in range(8):  # without a key, on any partition
        await desk._producer.send_and_wait(JOB_POSTED, json.dumps(old).encode())  # noqa: SLF001
    await desk.apply("x", "a")
    await desk.apply("y", "b")
    await desk.flush()

    async with desk.worker() as metrics:
        scores = await desk.scores(2)

    for name, job in (("x", "Version two"), ("y", "Later")):
        assert scores[name]["score"] == fake_score(PairRequest("", f"Engineer\n\n{job}", "Knows Kafka")).score
    assert (metrics.registry.get_sample_value("scoring_job_records_outdated_total") or 0) >= 1
