"""The engine alone, behind Kafka, and behind gRPC: the same pairs and the same engine in one process."""

import asyncio
import uuid

from prometheus_client import CollectorRegistry

from services.contracts.topics import APPLICATION_SCORED
from services.devkit.embedded_broker import EmbeddedBroker
from services.events.kafka_client import create_topics
from services.pb.scoring.v1.events_pb2 import InlineJob
from services.pb.scoring.v1.scoring_service_pb2 import ScoreRequest
from services.process.settings import Settings, load_settings
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring_worker.app import run_worker
from services.scoring_worker.metrics import WorkerMetrics
from tests.doubles.api import Api, running_api
from tests.doubles.kafka_desk import KafkaDesk
from tests.programs.benchmarks.report.figures import Outcome
from tests.programs.benchmarks.rig.rounds import Comparison, compare
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import running, score_all

NUM_CALLERS = 32
LEAST_THROUGH_KAFKA, LEAST_THROUGH_GRPC = 0.95, 0.90


async def behind_services(setup: Setup) -> Outcome:
    """Compares the engine alone with the same engine behind the worker and behind the API.

    Kafka's time runs from the first record sent to the last score read; the worker is running before. The
    development broker answers a fetch without news only when its time is up, which may take a second of it.
    """
    with running(setup.base(), setup.engine_spec()) as engine:
        found = await _compare(setup, engine)
    marks = {"through Kafka": LEAST_THROUGH_KAFKA, "through gRPC": LEAST_THROUGH_GRPC}
    return Outcome(found.figures(marks), note=f"{setup.size.num_pairs} pairs a round")


async def _compare(setup: Setup, engine: ScoringEngine) -> Comparison:
    settings = load_settings(worker_metrics_port=0, worker_group=f"bench-{uuid.uuid4()}")
    with EmbeddedBroker() as broker:
        settings = settings.model_copy(update={"kafka_bootstrap_servers": broker.bootstrap_servers})
        await create_topics(settings)
        stop = asyncio.Event()
        metrics = WorkerMetrics(CollectorRegistry())
        worker = asyncio.create_task(run_worker(settings, engine, metrics, stop=stop))
        async with running_api(engine) as api:
            try:
                return await compare(
                    "engine alone",
                    {
                        "engine alone": lambda: _engine_alone(setup, engine),
                        "through Kafka": lambda: _through_kafka(setup, settings),
                        "through gRPC": lambda: _through_grpc(setup, api),
                    },
                    setup.num_rounds,
                )
            finally:
                stop.set()
                await worker


async def _engine_alone(setup: Setup, engine: ScoringEngine) -> int:
    return len(await score_all(engine, setup.fresh_work()))


async def _through_kafka(setup: Setup, settings: Settings) -> int:
    requests = setup.fresh_work()
    async with KafkaDesk(settings, patience_seconds=120) as desk:
        for number, request in enumerate(requests):
            job = {"description": request.job_description}
            job_id = f"job-{number % setup.size.num_jobs}"
            await desk.apply(request.request_id, job_id, request.resume, job=job)
        await desk.flush()
        await desk.read(APPLICATION_SCORED, lambda found: len(found) >= len(requests), at_once=True)
    return len(requests)


async def _through_grpc(setup: Setup, api: Api) -> int:
    waiting = setup.fresh_work()
    num_pairs = len(waiting)

    async def call_until_done() -> None:
        while waiting:
            request = waiting.pop(0)
            message = ScoreRequest(
                application_id=request.request_id,
                job=InlineJob(description=request.job_description),
                resume=request.resume,
            )
            await api.scoring.Score(message, timeout=600)

    await asyncio.gather(*(call_until_done() for _ in range(NUM_CALLERS)))
    return num_pairs
