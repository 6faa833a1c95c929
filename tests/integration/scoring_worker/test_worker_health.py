"""What Prometheus and Kubernetes see of a worker."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from services.process.settings import Settings, load_settings
from services.scoring_worker.app import run_worker
from services.scoring_worker.metrics import WorkerMetrics
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.ports import free_port
from tests.doubles.scorer import FakeScorer
from tests.doubles.waiting import until_status

PATIENCE_SECONDS = 15


@pytest.fixture
def port() -> int:
    return free_port()


async def test_a_worker_is_ready_once_it_reads_and_knows_the_jobs(
    settings: Settings, desk: KafkaDesk, port: int
) -> None:
    await desk.post_job("a")
    await desk.flush()
    stop = asyncio.Event()
    metrics = WorkerMetrics(CollectorRegistry())
    chosen = settings.model_copy(update={"worker_metrics_port": port})

    running = asyncio.create_task(run_worker(chosen, FakeScorer(), metrics, stop=stop))
    await until_status(port, "/readyz", 200, PATIENCE_SECONDS)
    jobs = metrics.registry.get_sample_value("scoring_jobs")
    stop.set()
    await running

    assert jobs is not None
    assert jobs >= 1


async def test_a_worker_without_kafka_is_alive_but_not_ready_and_can_be_stopped(port: int) -> None:
    stop = asyncio.Event()
    settings = load_settings(kafka_bootstrap_servers="127.0.0.1:1", worker_metrics_port=port)

    running = asyncio.create_task(
        run_worker(settings, FakeScorer(), WorkerMetrics(CollectorRegistry()), stop=stop)
    )
    await until_status(port, "/livez", 200, PATIENCE_SECONDS)
    reasons = await until_status(port, "/readyz", 503, PATIENCE_SECONDS)
    stop.set()
    await asyncio.wait_for(running, 5)

    assert reasons["checks"] == {"model": "ok", "consumer": "failing", "jobs": "failing", "audit": "ok"}


async def test_a_worker_that_no_longer_follows_adapters_is_not_ready_and_says_which_check_fails(
    settings: Settings, desk: KafkaDesk, port: int
) -> None:
    stop, is_following = asyncio.Event(), True
    metrics = WorkerMetrics(CollectorRegistry())
    chosen = settings.model_copy(update={"worker_metrics_port": port})
    ready = {"adapters": lambda: is_following}

    running = asyncio.create_task(run_worker(chosen, FakeScorer(), metrics, stop=stop, ready=ready))
    await until_status(port, "/readyz", 200, PATIENCE_SECONDS)
    is_following = False
    reasons = await until_status(port, "/readyz", 503, PATIENCE_SECONDS)
    stop.set()
    await running

    assert [name for name, state in reasons["checks"].items() if state == "failing"] == ["adapters"]


async def test_a_worker_whose_model_hangs_is_not_alive(port: int) -> None:
    class HangingScorer(FakeScorer):
        def seconds_since_progress(self) -> float:
            return 1e6

    stop = asyncio.Event()
    settings = load_settings(kafka_bootstrap_servers="127.0.0.1:1", worker_metrics_port=port)

    running = asyncio.create_task(
        run_worker(settings, HangingScorer(), WorkerMetrics(CollectorRegistry()), stop=stop)
    )
    reasons = await until_status(port, "/livez", 503, PATIENCE_SECONDS)
    stop.set()
    await running

    assert reasons["checks"] == {"progress": "failing", "offsets": "ok"}
