"""gRPC and Kafka at full rate through twenty changes of adapter: nothing lost, doubled or mixed up.

Worker, API and adapter watch share one real engine in this process; broker, store and announcements are real.
"""

import asyncio
import itertools
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.adapters.adapter_folder import read_adapter
from services.contracts.adapters import Canary, SwitchReport
from services.contracts.engine_observer import SilentObserver
from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.contracts.scoring import BASE_ADAPTER_DIGEST, PairRequest, PairScore
from services.contracts.topics import APPLICATION_SCORED
from services.events.wire.event_codec import decode_event
from services.events.wire.message_mapping import job_text
from services.pb.scoring.v1.events_pb2 import InlineJob
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.pb.scoring.v1.scoring_service_pb2 import ScoreRequest
from services.process.settings import Settings
from services.rollout.administration import AdapterAdministration
from services.rollout.watch import following_adapters
from services.scoring.engine.factory import build_engine
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring_worker.app import run_worker
from services.scoring_worker.metrics import WorkerMetrics
from tests.doubles.adapters import make_adapter
from tests.doubles.api import running_api
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.models import TINY_MODEL, tiny_settings
from tests.doubles.waiting import until

pytestmark = pytest.mark.slow

NUM_SWITCHES = 20
NUM_GRPC_CLIENTS = 8
# Enough to keep every batch full, few enough to be drained in a moment at the end.
MAX_KAFKA_BACKLOG = 32
JOBS = [("Nurse", f"Cares for patients on {number} wards.") for number in range(3)]
RESUMES = [f"Nurse {number}. " + "Cared for patients. " * (number * 3 % 10) for number in range(8)]
PAIRS = [(job, resume) for job in range(len(JOBS)) for resume in RESUMES]


class ReportingHost:
    """The engine, and what came of each change of its adapter."""

    def __init__(self, engine: ScoringEngine) -> None:
        self._engine = engine
        self.reports: list[SwitchReport] = []

    @property
    def active_adapter_digest(self) -> str:
        return self._engine.active_adapter_digest

    async def switch_adapter(
        self, folder: Path | None, version: str = "", canaries: Sequence[Canary] = ()
    ) -> SwitchReport:
        self.reports.append(await self._engine.switch_adapter(folder, version, canaries))
        return self.reports[-1]


@dataclass
class Load:
    """Clients that never pause until ``stop`` is set.

    Attributes:
        answers: what gRPC answered, each with its pair.
        sent: pairs of the applications sent to Kafka, by application.
    """

    scoring: Any
    desk: KafkaDesk
    num_scored: Callable[[], float]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    answers: list[tuple[int, ScoreResult]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)

    async def call(self, client: int) -> None:
        for at in itertools.count(client):
            if self.stop.is_set():
                return
            pair = at % len(PAIRS)
            job, resume = PAIRS[pair]
            title, description = JOBS[job]
            request = ScoreRequest(
                application_id=f"grpc-{client}-{at}",
                job=InlineJob(title=title, description=description),
                resume=resume,
            )
            result = (await self.scoring.Score(request)).result
            assert result.application_id == request.application_id
            self.answers.append((pair, result))

    async def apply(self) -> None:
        for at in itertools.count():
            if self.stop.is_set():
                return
            pair = at % len(PAIRS)
            self.sent[f"kafka-{at}"] = pair
            job, resume = PAIRS[pair]
            await self.desk.apply(f"kafka-{at}", f"job-{job}", resume)
            while len(self.sent) - self.num_scored() >= MAX_KAFKA_BACKLOG:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def running_worker(settings: Settings, host: ScoringEngine) -> AsyncIterator[WorkerMetrics]:
    metrics, stop = WorkerMetrics(CollectorRegistry()), asyncio.Event()
    running = asyncio.create_task(run_worker(settings, host, metrics, stop=stop))
    try:
        yield metrics
    finally:
        stop.set()
        await running


async def offline_scores(spec: ModelSettings, adapter: Path | None) -> list[PairScore]:
    engine = build_engine(EngineSettings.of(spec, adapter, mask_identity=False))
    engine.start()
    scores = []
    for job, resume in PAIRS:
        scores.append(await engine.score(PairRequest("", job_text(*JOBS[job]), resume)))
    engine.close()
    return scores


def check_scores(found: list[tuple[int, ScoreResult]], expected: dict[str, list[PairScore]]) -> None:
    """Every result is, bit for bit, that of the adapter it names, and each of them gave some."""
    for pair, result in found:
        distribution = expected[result.adapter_digest][pair].distribution
        assert tuple(result.distribution) == distribution.probabilities
        assert result.score == distribution.mean
    assert {result.adapter_digest for _, result in found} == expected.keys()


async def test_twenty_changes_of_adapter_at_full_rate(
    settings: Settings, desk: KafkaDesk, cache_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = settings.model_copy(
        update={
            "base_model": TINY_MODEL,
            "adapter": "none",
            "adapter_name": f"test-{tmp_path.name}",
            "adapter_store": str(tmp_path / "store"),
            # A slow machine must not look like a lost worker, whose applications another one repeats.
            "kafka_session_timeout_seconds": 30.0,
        }
    )
    folders = [make_adapter(tmp_path / str(seed), cache_dir, seed) for seed in range(2)]
    digests = [read_adapter(folder).digest for folder in folders]
    spec = tiny_settings(cache_dir)
    expected = {digest: await offline_scores(spec, f) for digest, f in zip(digests, folders, strict=True)}
    expected[BASE_ADAPTER_DIGEST] = await offline_scores(spec, None)
    assert len({score.score for scores in expected.values() for score in scores}) == 3 * len(PAIRS)
    for number, (title, description) in enumerate(JOBS):
        await desk.post_job(f"job-{number}", description, title=title)
    await desk.flush()

    seconds_per_pass: list[float] = []

    class PassTimes(SilentObserver):
        def on_stage(self, stage: str, seconds: float) -> None:
            if stage == "forward":
                seconds_per_pass.append(seconds)

    engine = build_engine(
        EngineSettings.of(spec, batching_window_seconds=0.002, mask_identity=False), PassTimes()
    )
    await asyncio.to_thread(engine.start)
    host = ReportingHost(engine)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, engine.close, 20)
        metrics = await stack.enter_async_context(running_worker(own, engine))
        api = await stack.enter_async_context(running_api(engine))
        await stack.enter_async_context(following_adapters(own, host, metrics))

        scored = metrics.requests.labels("kafka", "ok")

        def num_scored() -> float:
            # Asked all the time: to collect the whole registry would keep the model thread waiting.
            value: float = scored._value.get()
            return value

        load = Load(api.scoring, desk, num_scored)
        async with asyncio.TaskGroup() as clients:
            for client in range(NUM_GRPC_CLIENTS):
                clients.create_task(load.call(client))
            clients.create_task(load.apply())
            await until(lambda: len(load.answers) > 20 and num_scored() > 20)
            await change_adapters(AdapterAdministration(own), host, folders, digests, load)
            load.stop.set()
        await until(lambda: num_scored() >= len(load.sent))
        records = await desk.read(APPLICATION_SCORED, lambda found: len(found) >= len(load.sent))

    assert [report.adapter_digest for report in host.reports] == digests * (NUM_SWITCHES // 2)
    check_scores(load.answers, expected)
    assert len({result.application_id for _, result in load.answers}) == len(load.answers)
    results: dict[str, list[ScoreResult]] = defaultdict(list)
    for record in records:
        result = decode_event(record.value, tuple(record.headers), ScoreResult)
        results[result.application_id.removeprefix(f"{desk.prefix}-")].append(result)
    assert results.keys() == load.sent.keys()
    assert all(len(found) == 1 for found in results.values())
    check_scores([(load.sent[name], found[0]) for name, found in results.items()], expected)
    print_pauses(capsys, host.reports, seconds_per_pass, len(load.answers), len(results))


async def change_adapters(
    administration: AdapterAdministration,
    host: ReportingHost,
    folders: list[Path],
    digests: list[str],
    load: Load,
) -> None:
    """Announces the two adapters in turn; each is scored with by both entrances before the next."""
    versions = []
    for number in range(NUM_SWITCHES):
        if number < len(folders):
            versions.append((await administration.publish(folders[number])).version)
        else:
            await administration.activate(versions[number % 2])
        await until(lambda number=number: len(host.reports) > number)  # type: ignore[misc]
        num_before = len(load.answers), load.num_scored()
        await until(lambda before=num_before: len(load.answers) > before[0])  # type: ignore[misc]
        await until(lambda before=num_before: load.num_scored() > before[1])  # type: ignore[misc]


def print_pauses(
    capsys: pytest.CaptureFixture[str],
    reports: list[SwitchReport],
    seconds_per_pass: list[float],
    num_answers: int,
    num_applications: int,
) -> None:
    pauses = [report.pause_seconds * 1000 for report in reports]
    one_pass = statistics.median(seconds_per_pass) * 1000
    with capsys.disabled():
        print(
            f"\n{len(reports)} switches, {num_answers} gRPC answers, {num_applications} Kafka scores; "
            f"pause of the model thread: median {statistics.median(pauses):.3f} ms, "
            f"greatest {max(pauses):.3f} ms; median forward pass {one_pass:.1f} ms"
        )
    assert statistics.median(pauses) < one_pass
