"""The main job with real parts: worker processes, a broker, a Gemma; one worker is killed in the middle."""

import asyncio
import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from services.contracts.engine_settings import EngineSettings
from services.contracts.scoring import PairRequest
from services.contracts.topics import APPLICATION_SCORED, APPLICATION_SUBMITTED
from services.events.wire.message_mapping import job_text
from services.scoring.engine.factory import build_engine
from tests.doubles import texts
from tests.doubles.kafka_desk import APPLICATION_DEAD_LETTERS, KafkaDesk, kind_of
from tests.doubles.models import tiny_settings
from tests.e2e.conftest import StartService

pytestmark = pytest.mark.slow

NUM_JOBS = 20
NUM_RESUMES = 25
NUM_APPLICATIONS = NUM_JOBS * NUM_RESUMES
MAX_IN_FLIGHT = 16
ENOUGH_TO_BE_BUSY = 60

# What is wrong with a bad record, and the kind of dead letter that it must become; ten of each.
BAD_RECORDS: dict[str, tuple[dict[str, Any] | bytes, str]] = {
    "torn": (b'{"application_id": "x", "job_id"', "bad_json"),
    "typed": ({"resume": 7}, "wrong_type"),
    "empty": ({"resume": " \n "}, "field_limits"),
    "framed": (b"\x00\x00\x00\x00\x07{}", "bad_encoding"),
    "orphan": ({"resume": "A resume.", "job_id": "nowhere"}, "unknown_job"),
}
NUM_BAD_OF_EACH = 10
NUM_BAD = NUM_BAD_OF_EACH * len(BAD_RECORDS)


async def test_every_application_is_scored_although_a_worker_is_killed_and_records_are_bad(
    desk: KafkaDesk, start_service: StartService, cache_dir: Path
) -> None:
    pairs = await send_work(desk)
    start = {"worker_max_in_flight": MAX_IN_FLIGHT, "worker_job_wait_seconds": 2}
    survivor, doomed = (start_service("worker", **start) for _ in range(2))

    await desk.read(APPLICATION_SCORED, lambda found: len(found) >= ENOUGH_TO_BE_BUSY, at_once=True)
    doomed.send_signal(signal.SIGKILL)
    num_scored_at_kill = len({r.key for r in await desk.read(APPLICATION_SCORED, lambda _: True)})
    records = await desk.read(
        APPLICATION_SCORED, lambda found: len({r.key for r in found}) >= NUM_APPLICATIONS
    )
    letters = await desk.read(
        APPLICATION_DEAD_LETTERS, lambda found: len({(r.key, r.value) for r in found}) >= NUM_BAD
    )

    times_scored = Counter(record.key for record in records)
    num_repeated = sum(times_scored.values()) - len(times_scored)
    distinct_letters = {(letter.key, letter.value): letter for letter in letters}
    print(f"{len(times_scored)} unique, {num_repeated} repeated, {num_scored_at_kill} at the kill")
    print(f"{len(distinct_letters)} dead letters, {len(letters) - len(distinct_letters)} repeated")
    assert survivor.poll() is None
    assert num_scored_at_kill < NUM_APPLICATIONS
    assert set(times_scored) == {application_id.encode() for application_id in pairs}
    assert Counter(map(kind_of, distinct_letters.values())) == {
        kind: NUM_BAD_OF_EACH for _, kind in BAD_RECORDS.values()
    }
    assert {value for _, value in distinct_letters} == {
        bad_value(desk, name, number) for name in BAD_RECORDS for number in range(NUM_BAD_OF_EACH)
    }
    expected = await scores_alone(pairs, cache_dir)
    for record in records:
        result = json.loads(record.value)
        assert result["distribution"] == expected[result["application_id"]]


async def send_work(desk: KafkaDesk) -> dict[str, tuple[str, str]]:
    """Sends jobs, applications and bad records; returns the texts of each good application by its id."""
    jobs, resumes = texts.jobs(NUM_JOBS), texts.resumes(NUM_APPLICATIONS, seed=5)
    bad = [(name, number) for number in range(NUM_BAD_OF_EACH) for name in BAD_RECORDS]
    pairs = {}
    for job in jobs:
        await desk.post_job(job.job_id, job.description, title=job.title)
    for number, resume in enumerate(resumes):
        job = jobs[number % NUM_JOBS]
        await desk.apply(f"a-{number}", job.job_id, resume)
        pairs[desk.name(f"a-{number}")] = (job_text(job.title, job.description), resume)
        if number % (NUM_APPLICATIONS // NUM_BAD) == 0:
            name, count = bad.pop()
            await desk.send(APPLICATION_SUBMITTED, job.job_id, bad_value(desk, name, count))
    await desk.flush()
    assert not bad
    return pairs


def bad_value(desk: KafkaDesk, name: str, number: int) -> bytes:
    content, _ = BAD_RECORDS[name]
    if isinstance(content, bytes):
        return content + str(number).encode()
    fields = {"application_id": desk.name(f"{name}-{number}"), "job_id": desk.name("job-0"), **content}
    return json.dumps(fields).encode()


async def scores_alone(pairs: dict[str, tuple[str, str]], cache_dir: Path) -> dict[str, list[float]]:
    """Returns the distributions that an engine in this process computes for the same texts."""
    base = tiny_settings(cache_dir)
    engine = build_engine(EngineSettings.of(base, mask_identity=True))
    engine.start()
    try:
        results = await asyncio.gather(
            *(engine.score(PairRequest(name, job, resume)) for name, (job, resume) in pairs.items())
        )
    finally:
        engine.close()
    return {result.request_id: list(result.distribution.probabilities) for result in results}
