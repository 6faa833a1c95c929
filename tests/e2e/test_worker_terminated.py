"""A worker that is told to end amid the work: it finishes what it holds, and another goes on."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.contracts.topics import APPLICATION_SCORED
from services.process.settings import Settings, variable_of
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.processes.forked import Forked

pytestmark = pytest.mark.slow

NUM_APPLICATIONS = 300
NUM_JOBS = 20
SECONDS_PER_SCORE = 0.4
MAX_IN_FLIGHT = 16  # at most 40 scores a second: the end falls into the middle
ENOUGH_TO_BE_BUSY = 60


async def test_a_terminated_worker_finishes_what_it_holds_and_ends_with_zero(
    settings: Settings, desk: KafkaDesk
) -> None:
    await _send_work(desk)

    with _worker(settings) as leaving:
        await desk.scores(ENOUGH_TO_BE_BUSY)
        leaving.send_signal(signal.SIGTERM)
        exit_code = await asyncio.to_thread(leaving.wait, settings.drain_seconds)
    done = len(await desk.read(APPLICATION_SCORED, lambda found: True))
    with _worker(settings):
        records = await desk.read(
            APPLICATION_SCORED, lambda found: len({r.key for r in found}) == NUM_APPLICATIONS
        )

    assert exit_code == 0
    assert ENOUGH_TO_BE_BUSY <= done < NUM_APPLICATIONS
    assert len(records) == NUM_APPLICATIONS


async def _send_work(desk: KafkaDesk) -> None:
    for number in range(NUM_JOBS):
        await desk.post_job(f"job-{number}")
    for number in range(NUM_APPLICATIONS):
        await desk.apply(f"a-{number}", f"job-{number % NUM_JOBS}")
    await desk.flush()


@contextmanager
def _worker(settings: Settings) -> Iterator[Forked]:
    chosen = {
        "kafka_bootstrap_servers": settings.kafka_bootstrap_servers,
        "kafka_session_timeout_seconds": str(settings.kafka_session_timeout_seconds),
        "worker_group": settings.worker_group,
        "worker_max_in_flight": str(MAX_IN_FLIGHT),
        "worker_metrics_port": "0",
    }
    environment = os.environ | {variable_of(name): value for name, value in chosen.items()}
    command = ("tests.doubles.processes.worker_runner", str(SECONDS_PER_SCORE))
    process = Forked(*command, environment=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
