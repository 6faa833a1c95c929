"""A worker, an API and a trainer in this process, with the real Prometheus server watching them."""

import asyncio
import contextlib
import json
import shutil
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import yaml
from prometheus_client import CollectorRegistry

from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.pb.scoring.v1.events_pb2 import InlineJob
from services.pb.scoring.v1.scoring_service_pb2 import ScoreRequest
from services.pb.scoring.v1.scoring_service_pb2_grpc import ScoringServiceStub
from services.process.metrics.scoring import ScoringMetrics
from services.process.parent_death import end_with_parent
from services.process.settings import Settings
from services.rollout.administration import AdapterAdministration
from services.rollout.watch import following_adapters
from services.scoring.engine.factory import build_engine
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring_api.app import ApiAddresses, run_api
from services.scoring_api.metrics import ApiMetrics
from services.scoring_worker.app import run_worker
from services.scoring_worker.metrics import WorkerMetrics
from services.training_service.app import run_trainer
from services.training_service.metrics import TrainerMetrics
from tests.deploy.tools import DEPLOY, RULES, program
from tests.doubles.adapters import make_adapter
from tests.doubles.certificates import Authority
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.models import tiny_settings
from tests.doubles.ports import free_port
from tests.doubles.publisher import FakePublisher
from tests.doubles.trainer import fake_training, trainer_settings

PATIENCE_SECONDS = 150.0  # two models and Prometheus start on two slow cores
CERTIFICATE_DAYS = 90
JOBS = [("Nurse", f"Cares for patients on {number} wards.") for number in range(3)]


@dataclass
class Monitored:
    """What a test needs of the running services.

    Attributes:
        server: address of Prometheus.
        scoring: stub of the API.
        num_sent: applications and calls so far.
    """

    server: str
    desk: KafkaDesk
    scoring: Any
    num_sent: int = 0

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """Returns the series of an instant query."""
        path = f"/api/v1/query?query={urllib.parse.quote(expression)}"
        answer = await self._get(path)
        assert answer["status"] == "success", (expression, answer)
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    async def until(self, expression: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Waits until a query has series; a server that is only starting has none."""
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(aiohttp.ClientConnectionError, aiohttp.ContentTypeError):
                    if await self.query(expression):
                        return
                await asyncio.sleep(0.3)

    async def rule_groups(self) -> list[dict[str, Any]]:
        groups: list[dict[str, Any]] = (await self._get("/api/v1/rules"))["data"]["groups"]
        return groups

    async def _get(self, path: str) -> Any:
        async with aiohttp.ClientSession() as session, session.get(self.server + path) as answer:
            return await answer.json()

    async def send(self, count: int) -> None:
        """Sends applications and as many calls, one broken record, and a few labels."""
        for at in range(self.num_sent, self.num_sent + count):
            title, description = JOBS[at % len(JOBS)]
            resume = f"Nurse {at}. " + "Cared for patients. " * (at * 3 % 10)
            await self.desk.apply(f"a-{at}", f"job-{at % len(JOBS)}", resume)
            job = InlineJob(title=title, description=description)
            await self.scoring.Score(ScoreRequest(application_id=f"call-{at}", job=job, resume=resume))
        self.num_sent += count
        await self.desk.send("recruiting.application.submitted.v1", "bad", b"{")
        await self._send_labels(count)
        await self.desk.flush()

    async def _send_labels(self, count: int) -> None:
        for at in range(count):
            for rater, score in (("r1", at * 9 % 101), ("r2", (at * 9 + 10) % 101)):
                value = {
                    "application_id": self.desk.name(f"label-{self.num_sent}-{at}"),
                    "rater": rater,
                    "score": score,
                    "resume": f"Resume {self.num_sent} {at}.",
                    "job_description": "A job.",
                }
                await self.desk.send("recruiting.score.labelled.v1", "l", json.dumps(value).encode())


@asynccontextmanager
async def monitored_services(
    settings: Settings, cache_dir: Path, folder: Path, **changes: Any
) -> AsyncIterator[Monitored]:
    """Runs everything with a tiny model and real requests, until the context ends."""
    own = trainer_settings(
        settings, folder, worker_metrics_port=free_port(), trainer_metrics_port=free_port(), **changes
    ).model_copy(update={"kafka_session_timeout_seconds": 10.0})
    spec = tiny_settings(cache_dir)
    adapter = make_adapter(folder / "adapter", cache_dir, seed=1)
    api_port = free_port()
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(KafkaDesk(own))
        for number, (title, description) in enumerate(JOBS):
            await desk.post_job(f"job-{number}", description, title=title)
        await desk.flush()
        metrics = WorkerMetrics(CollectorRegistry())
        worker_engine = await _engine(stack, spec, metrics)
        await stack.enter_async_context(following_adapters(own, worker_engine, metrics))
        stop = asyncio.Event()
        trainer = run_trainer(
            own, TrainerMetrics(CollectorRegistry()), stop=stop, training_command=fake_training(adapter)
        )
        running = [asyncio.create_task(run_worker(own, worker_engine, metrics, stop=stop))]
        running.append(asyncio.create_task(trainer))
        stack.push_async_callback(_finish, running, stop)
        scoring = await stack.enter_async_context(_api(stack, own, spec, api_port, folder))
        ports = {
            "scoring-worker": own.worker_metrics_port,
            "scoring-api": api_port,
            "training-service": own.trainer_metrics_port,
        }
        server = await stack.enter_async_context(prometheus(folder, ports))
        monitored = Monitored(server, desk, scoring)
        await monitored.until("count(up == 1) == 3")
        await AdapterAdministration(own).publish(adapter)
        yield monitored


async def _engine(stack: AsyncExitStack, spec: ModelSettings, metrics: ScoringMetrics) -> ScoringEngine:
    engine = build_engine(EngineSettings.of(spec, mask_identity=False), metrics)
    await asyncio.to_thread(engine.start)
    stack.push_async_callback(asyncio.to_thread, engine.close, 20)
    return engine


@asynccontextmanager
async def _api(
    stack: AsyncExitStack, settings: Settings, spec: ModelSettings, metrics_port: int, folder: Path
) -> AsyncIterator[Any]:
    metrics, stop = ApiMetrics(CollectorRegistry()), asyncio.Event()
    engine = await _engine(stack, spec, metrics)
    authority = Authority()
    certificate = authority.issue("api", CERTIFICATE_DAYS).write(folder)
    chosen = settings.model_copy(update={"grpc_port": 0, "api_metrics_port": metrics_port, **certificate})
    listening: asyncio.Future[ApiAddresses] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        run_api(
            chosen,
            engine,
            metrics,
            stop=stop,
            publisher=FakePublisher(),
            on_listening=listening.set_result,
        )
    )
    await asyncio.wait((running, listening), return_when=asyncio.FIRST_COMPLETED)
    try:
        credentials = grpc.ssl_channel_credentials(authority.certificate)
        async with (
            following_adapters(settings, engine, metrics),
            grpc.aio.secure_channel((await listening).grpc, credentials) as channel,
        ):
            yield ScoringServiceStub(channel)  # type: ignore[no-untyped-call]
    finally:
        await _finish([running], stop)


async def _finish(running: list["asyncio.Task[None]"], stop: asyncio.Event) -> None:
    stop.set()
    await asyncio.gather(*running)


@asynccontextmanager
async def prometheus(folder: Path, ports: dict[str, int]) -> AsyncIterator[str]:
    """Runs the real server with the real rules; only addresses and intervals differ from deploy/."""
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = ["rules/*.yml"]
    for job in config["scrape_configs"]:
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{ports[job['job_name']]}"]}]
    shutil.copytree(RULES, folder / "rules")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    process = subprocess.Popen(command, stdout=sys.stderr, preexec_fn=end_with_parent(signal.SIGKILL))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)
