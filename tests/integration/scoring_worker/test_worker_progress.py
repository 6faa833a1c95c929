"""Liveness is progress: what is committed moves while there is more to read, or /livez fails."""

import asyncio

import aiohttp
import pytest

from services.process.settings import Settings
from services.scoring_worker.intake import progress_watch
from services.scoring_worker.intake.application_intake import ApplicationIntake
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.ports import free_port

STALL_SECONDS = 1.0
JOB_WAIT_SECONDS = 0.5
PATIENCE_SECONDS = 60.0
NUM_APPLICATIONS = 20


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def settings(settings: Settings, port: int, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(progress_watch, "LOOK_SECONDS", 0.2)
    return settings.model_copy(
        update={
            "worker_metrics_port": port,
            "worker_stall_seconds": STALL_SECONDS,
            "worker_job_wait_seconds": JOB_WAIT_SECONDS,
        }
    )


@pytest.fixture
def silent_loss(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What Faust was seen to do: it goes on, and delivers nothing."""
    seen: set[str] = set()

    async def drop(_intake: ApplicationIntake, event: object) -> None:
        seen.add(str(event))

    monkeypatch.setattr(ApplicationIntake, "on_event", drop)
    return seen


async def test_a_worker_that_reads_nothing_although_there_is_more_is_not_alive(
    desk: KafkaDesk, port: int, silent_loss: set[str]
) -> None:
    await desk.post_job("a")
    await _apply_one_by_one(desk)

    async with desk.worker():
        await _until_status(port, 200, "/readyz")
        while not silent_loss:
            await asyncio.sleep(0.1)
        await _until_status(port, 200, "/livez")  # joining the group may have taken longer than the window
        await _until_status(port, 503, "/livez")

    assert silent_loss


async def test_a_worker_that_has_done_everything_stays_alive_however_long(desk: KafkaDesk, port: int) -> None:
    await desk.post_job("a")
    await _apply_one_by_one(desk)

    async with desk.worker():
        await desk.scores(NUM_APPLICATIONS)
        for _ in range(8):
            await asyncio.sleep((STALL_SECONDS + JOB_WAIT_SECONDS) / 4)
            assert await _status(port, "/livez") == 200


async def _apply_one_by_one(desk: KafkaDesk) -> None:
    # In batches of their own, since the development broker tells the end of a batch too low.
    for number in range(NUM_APPLICATIONS):
        await desk.apply(f"a-{number}", "a")
        await desk.flush()


async def _status(port: int, path: str) -> int:
    url = f"http://127.0.0.1:{port}{path}"
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status
    except aiohttp.ClientConnectionError:
        return 0


async def _until_status(port: int, wanted: int, path: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await _status(port, path) != wanted:
            await asyncio.sleep(0.1)
