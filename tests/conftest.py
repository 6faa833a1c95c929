"""What tests share: tiny random models with the real tokenizer, a broker, and an API over a fake scorer."""

import asyncio
import gc
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import torch
from faust.tables.manager import TableManager

from services.devkit.embedded_broker import EmbeddedBroker
from services.events import topic_follower
from services.events.kafka_client import create_topics
from services.process.settings import Settings, load_settings
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.reading.text_encoder import TextEncoder
from tests.doubles.api import Api, running_api
from tests.doubles.kafka_desk import BOOTSTRAP_SERVERS, KafkaDesk
from tests.doubles.models import TINY_GEMMA_2, TINY_MODEL, TINY_MODELS, load_tiny
from tests.doubles.scorer import FakeScorer

# As the command does, before anything starts gRPC: children are forked beside it.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

# On busy cores an input may take long to invent or to try: that is no fault of what is tested.
hypothesis.settings.register_profile(
    "busy cores", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy cores")


def pytest_collection_finish() -> None:
    """Leaves what was imported out of later collections of garbage: each training has some."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Where processes share the cores, threads of one wait for their turn behind those of the other.

    Training the tiny model takes twice as long then. For the whole session and every process that it starts:
    sums depend on how many add them.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)
        os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def cache_dir() -> Path:
    """The cache of prepared models, shared with the commands so that it is filled once a machine."""
    return load_settings().model_cache_dir


@pytest.fixture(scope="session")
def tiny_gemma_2(cache_dir: Path) -> BaseModel:
    return load_tiny(cache_dir, TINY_GEMMA_2)


@pytest.fixture(scope="session")
def tiny_gemma_3(cache_dir: Path) -> BaseModel:
    return load_tiny(cache_dir, TINY_MODEL)


@pytest.fixture(scope="session")
def load_base(cache_dir: Path) -> Callable[[], BaseModel]:
    """Loads a tiny Gemma 3 that a test may change."""
    return lambda: load_tiny(cache_dir)


@pytest.fixture(params=TINY_MODELS)
def tiny_model(request: pytest.FixtureRequest) -> BaseModel:
    """Each tiny model in turn."""
    model: BaseModel = request.getfixturevalue(request.param.removeprefix("random:").replace("-", "_"))
    return model


@pytest.fixture(scope="session")
def encoder(tiny_gemma_3: BaseModel) -> TextEncoder:
    return TextEncoder(tiny_gemma_3.tokenizer)


@pytest.fixture
def scorer() -> FakeScorer:
    return FakeScorer()


@pytest.fixture
async def api(scorer: FakeScorer) -> AsyncIterator[Api]:
    """A running API over the fake scorer."""
    async with running_api(scorer) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_idle_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes waiting out of the start of a worker, which says nothing: it has nothing to wait for."""

    async def sleep(_: TableManager, seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(TableManager, "sleep", sleep)  # a second, for tables that no app of ours has
    monkeypatch.setattr(topic_follower, "POLL_MILLISECONDS", 100)


@pytest.fixture
def bootstrap_servers() -> Iterator[str]:
    """A broker for each test: the embedded one, or that of SCORER_KAFKA_BOOTSTRAP_SERVERS."""
    if os.environ.get(BOOTSTRAP_SERVERS):
        yield os.environ[BOOTSTRAP_SERVERS]
        return
    with EmbeddedBroker() as broker:
        yield broker.bootstrap_servers


@pytest.fixture
def settings(bootstrap_servers: str) -> Settings:
    return load_settings(
        kafka_bootstrap_servers=bootstrap_servers,
        kafka_session_timeout_seconds=2.0,
        kafka_num_partitions=4,
        worker_group=f"test-{uuid.uuid4()}",
        worker_job_wait_seconds=1.5,
        worker_metrics_port=0,
    )


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[KafkaDesk]:
    await create_topics(settings)
    async with KafkaDesk(settings) as desk:
        yield desk
