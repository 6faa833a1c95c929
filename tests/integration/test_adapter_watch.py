"""Publish, activate and roll back while a real engine on a tiny model scores: over a real broker."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from aiokafka.errors import TopicAuthorizationFailedError
from prometheus_client import CollectorRegistry

from services.adapters.adapter_folder import WEIGHTS_FILE, read_adapter
from services.adapters.store import AdapterStore
from services.contracts.engine_observer import SilentObserver
from services.contracts.engine_settings import EngineSettings
from services.contracts.errors import AdapterNotFound, BrokerUnreachable
from services.contracts.scoring import PairRequest
from services.contracts.topics import ADAPTER_PUBLISHED
from services.events.kafka_client import start_producer
from services.events.wire.event_codec import encode_event
from services.pb.scoring.v1.adapter_service_pb2 import (
    ActivateAdapterRequest,
    ListAdaptersRequest,
    RollbackAdapterRequest,
)
from services.pb.scoring.v1.adapter_service_pb2_grpc import AdapterServiceStub
from services.process.metrics.scoring import ScoringMetrics
from services.process.settings import Settings
from services.rollout.administration import AdapterAdministration, announcement, open_store
from services.rollout.watch import following_adapters
from services.scoring.engine.factory import assemble_engine
from services.scoring.engine.scoring_engine import ScoringEngine
from tests.doubles.adapters import make_adapter
from tests.doubles.api import running_api
from tests.doubles.models import TINY_MODEL, load_tiny, tiny_settings
from tests.doubles.waiting import until

PAIR = PairRequest("1", "We look for a nurse.", "A nurse of ten years.")
TOKEN = "not-a-secret"  # noqa: S105


@pytest.fixture
def own_settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(
        update={
            "base_model": TINY_MODEL,
            "adapter": "none",
            "adapter_name": f"test-{tmp_path.name}",
            "adapter_store": str(tmp_path / "store"),
        }
    )


@pytest.fixture
async def engine(own_settings: Settings) -> AsyncIterator[ScoringEngine]:
    spec = tiny_settings(own_settings.model_cache_dir)
    engine = assemble_engine(
        load_tiny(own_settings.model_cache_dir),
        EngineSettings.of(spec, mask_identity=False),
        SilentObserver(),
    )
    engine.start()
    yield engine
    await asyncio.to_thread(engine.close, 20)


@pytest.fixture(scope="module")
def made(cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two adapters; tests work on copies of them."""
    root = tmp_path_factory.mktemp("made")
    return [make_adapter(root / str(seed), cache_dir, seed) for seed in range(2)]


@pytest.fixture
def folders(made: list[Path], tmp_path: Path) -> list[Path]:
    return [shutil.copytree(each, tmp_path / each.name) for each in made]


def switches(metrics: ScoringMetrics, outcome: str) -> float:
    return metrics.registry.get_sample_value("scoring_adapter_switches_total", {"outcome": outcome}) or 0.0


async def test_a_published_adapter_is_scored_with_and_rolled_back(
    own_settings: Settings, engine: ScoringEngine, folders: list[Path]
) -> None:
    administration = AdapterAdministration(own_settings)
    metrics = ScoringMetrics(CollectorRegistry())
    digests = [read_adapter(folder).digest for folder in folders]
    async with following_adapters(own_settings, engine, metrics):
        first = await administration.publish(folders[0])
        await until(lambda: engine.active_adapter_digest == digests[0])
        score = await engine.score(PAIR)
        assert (score.adapter_digest, score.adapter_version) == (digests[0], first.version)

        await administration.publish(folders[1])
        await until(lambda: engine.active_adapter_digest == digests[1])
        back = await administration.rollback()
        assert back is not None
        assert back.version == first.version
        await until(lambda: engine.active_adapter_digest == digests[0])
        assert (await engine.score(PAIR)).score == score.score

        assert await administration.rollback() is None
        await until(lambda: engine.active_adapter_digest == "base")
    assert switches(metrics, "ok") == 4
    assert switches(metrics, "rejected") == 0


async def test_a_scorer_that_starts_late_takes_the_latest_alone(
    own_settings: Settings, engine: ScoringEngine, folders: list[Path]
) -> None:
    administration = AdapterAdministration(own_settings)
    for folder in folders:
        await administration.publish(folder)
    metrics = ScoringMetrics(CollectorRegistry())
    async with following_adapters(own_settings, engine, metrics):
        await until(lambda: engine.active_adapter_digest == read_adapter(folders[1]).digest)
    assert switches(metrics, "ok") == 1


async def test_what_a_broker_forgot_is_announced_again(
    own_settings: Settings, engine: ScoringEngine, folders: list[Path]
) -> None:
    administration = AdapterAdministration(own_settings)
    assert await administration.repeat_announcement() is None
    store = open_store(own_settings)
    stored = store.publish(folders[0])
    store.note_activation(stored.version)  # stored and noted, but no scorer was told
    async with following_adapters(own_settings, engine, ScoringMetrics(CollectorRegistry())):
        assert await administration.repeat_announcement() == stored
        await until(lambda: engine.active_adapter_digest == stored.adapter_digest)


async def test_without_a_broker_nothing_is_stored_activated_or_taken_back(
    own_settings: Settings, folders: list[Path]
) -> None:
    away = AdapterAdministration(own_settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"}))
    here = AdapterAdministration(own_settings)

    with pytest.raises(BrokerUnreachable, match="nothing was changed"):
        await away.publish(folders[0])
    assert await here.versions() == []
    first = await here.publish(folders[0])
    second = open_store(own_settings).publish(folders[1])
    for change in (away.activate(second.version), away.rollback()):
        with pytest.raises(BrokerUnreachable, match="nothing was changed"):
            await change

    assert await here.active_version() == first.version


async def test_what_the_broker_refuses_to_announce_is_not_listed_as_active(
    own_settings: Settings, folders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    administration = AdapterAdministration(own_settings)
    first = await administration.publish(folders[0])

    async def refuse(*_: object, **__: object) -> None:
        raise TopicAuthorizationFailedError

    # The embedded broker refuses nobody.
    monkeypatch.setattr("services.rollout.administration.publish", refuse)
    for change in (administration.publish(folders[1]), administration.rollback()):
        with pytest.raises(BrokerUnreachable, match=r"refuses the announcement \(TopicAuthorization"):
            await change
        assert await administration.active_version() == first.version
    assert len(await administration.versions()) == 2


async def test_a_way_back_to_a_version_that_is_gone_changes_nothing(
    own_settings: Settings, folders: list[Path], tmp_path: Path
) -> None:
    administration = AdapterAdministration(own_settings)
    first, second = [await administration.publish(folder) for folder in folders]
    shutil.rmtree(tmp_path / "store" / "versions" / first.version)

    with pytest.raises(AdapterNotFound, match=first.version):
        await administration.rollback()

    assert await administration.active_version() == second.version


async def test_a_broken_file_is_refused_and_the_next_good_one_taken(
    own_settings: Settings, engine: ScoringEngine, folders: list[Path], tmp_path: Path
) -> None:
    administration = AdapterAdministration(own_settings)
    metrics = ScoringMetrics(CollectorRegistry())
    stored = await administration.publish(folders[0])
    path = tmp_path / "store" / "versions" / stored.version / WEIGHTS_FILE
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    async with following_adapters(own_settings, engine, metrics):
        await until(lambda: switches(metrics, "rejected") == 1)
        assert (await engine.score(PAIR)).adapter_digest == "base"

        producer = await start_producer(own_settings)
        key = own_settings.adapter_name.encode()
        await producer.send_and_wait(ADAPTER_PUBLISHED, b"no json", key=key)
        await until(lambda: switches(metrics, "rejected") == 2)
        await producer.send_and_wait(ADAPTER_PUBLISHED, json.dumps({"name": "x"}).encode(), key=key)
        await until(lambda: switches(metrics, "rejected") == 3)
        await producer.stop()

        await administration.publish(folders[1])
        await until(lambda: engine.active_adapter_digest == read_adapter(folders[1]).digest)


async def test_an_announcement_of_another_folder_or_host_is_refused(
    own_settings: Settings, engine: ScoringEngine, folders: list[Path], tmp_path: Path
) -> None:
    metrics = ScoringMetrics(CollectorRegistry())
    elsewhere = AdapterStore(str(tmp_path / "elsewhere")).publish(folders[0])
    planted = own_settings.model_cache_dir / "adapters" / ".." / tmp_path.name
    producer = await start_producer(own_settings)
    async with following_adapters(own_settings, engine, metrics):
        for number, changes in enumerate(
            (
                {"store_uri": elsewhere.uri},
                {"store_uri": "https://example.org/versions/v1"},
                {"digest": "../" + tmp_path.name},
                {"digest": str(planted)},
            ),
            start=1,
        ):
            event = announcement(own_settings.adapter_name, elsewhere)
            for name, value in changes.items():
                setattr(event, name, value)
            key = own_settings.adapter_name.encode()
            await producer.send_and_wait(ADAPTER_PUBLISHED, encode_event(event), key=key)
            await until(lambda number=number: switches(metrics, "rejected") == number)

        assert engine.active_adapter_digest == "base"
        await AdapterAdministration(own_settings).publish(folders[1])
        await until(lambda: engine.active_adapter_digest == read_adapter(folders[1]).digest)
    await producer.stop()


async def test_a_store_that_is_away_is_waited_for(
    own_settings: Settings,
    engine: ScoringEngine,
    folders: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.rollout.watch.RETRY_SECONDS", 0.1)
    await AdapterAdministration(own_settings).publish(folders[0])
    (tmp_path / "store").rename(tmp_path / "away")
    metrics = ScoringMetrics(CollectorRegistry())
    async with following_adapters(own_settings, engine, metrics):
        await asyncio.sleep(2)
        assert (await engine.score(PAIR)).adapter_digest == "base"
        (tmp_path / "away").rename(tmp_path / "store")
        await until(lambda: engine.active_adapter_digest == read_adapter(folders[0]).digest)
    assert switches(metrics, "rejected") == 0


async def test_grpc_administers_adapters_for_holders_of_the_token_alone(
    own_settings: Settings, engine: ScoringEngine, folders: list[Path]
) -> None:
    administration = AdapterAdministration(own_settings)
    first = await administration.publish(folders[0])
    second = await administration.publish(folders[1])
    changed = own_settings.model_dump(include={"kafka_bootstrap_servers", "adapter_name", "adapter_store"})
    async with running_api(engine, grpc_admin_token=TOKEN, **changed) as api:
        stub = AdapterServiceStub(api.channel)  # type: ignore[no-untyped-call]
        for metadata in ((), (("authorization", "Bearer wrong"),)):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.ListAdapters(ListAdaptersRequest(), metadata=metadata)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        metadata = (("authorization", f"Bearer {TOKEN}"),)

        listed = await stub.ListAdapters(ListAdaptersRequest(), metadata=metadata)
        assert {each.version for each in listed.adapters} == {first.version, second.version}
        assert listed.active_digest == "base"
        answer = await stub.ActivateAdapter(ActivateAdapterRequest(version=first.version), metadata=metadata)
        assert answer.adapter.digest == first.manifest_digest
        back = await stub.RollbackAdapter(RollbackAdapterRequest(), metadata=metadata)
        assert back.adapter.version == second.version
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await stub.ActivateAdapter(ActivateAdapterRequest(version="nothing"), metadata=metadata)
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


async def test_without_a_token_the_administration_is_off(engine: ScoringEngine) -> None:
    async with running_api(engine) as api:
        stub = AdapterServiceStub(api.channel)  # type: ignore[no-untyped-call]
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.ListAdapters(ListAdaptersRequest(), metadata=(("authorization", "Bearer "),))
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
