"""The engine alone, behind Kafka, and behind gRPC; what the shared prefix gives; what batching does.

Every way scores the same pairs with the same engine in one process, so the ratios are those of the code.
"""

import asyncio
import uuid
from dataclasses import replace

from prometheus_client import CollectorRegistry

from services.contracts.engine_observer import SilentObserver
from services.contracts.scoring import PairRequest, PairScore
from services.contracts.topics import APPLICATION_SCORED
from services.pb.scoring.v1.events_pb2 import InlineJob
from services.pb.scoring.v1.scoring_service_pb2 import ScoreRequest
from services.scoring.base_model import BaseModel
from services.scoring.engine import ScoringEngine
from services.scoring.engine_factory import EngineSpec, assemble_engine
from services.scoring.score_model import TreeRow
from services.scoring_worker.app import run_worker
from services.service_kit.embedded_broker import EmbeddedBroker
from services.service_kit.kafka_client import create_topics
from services.service_kit.message_mapping import job_text
from services.service_kit.metrics import ScoringMetrics
from services.service_kit.settings import Settings, load_settings
from tests import work_set
from tests.benchmarks.rounds import Comparison, compare
from tests.integration.api_under_test import Api, running_api
from tests.integration.kafka_desk import KafkaDesk

NUM_JOBS = 8
NUM_RESUMES = 12
NUM_ROUNDS = 3
NUM_CALLERS = 32


def work(tag: str) -> list[PairRequest]:
    """Returns the pairs of the work set; a tag in front of each job makes its prefix new to the cache."""
    jobs, resumes = work_set.jobs(NUM_JOBS), work_set.resumes(NUM_JOBS * NUM_RESUMES, seed=3)
    return [
        PairRequest(f"{tag}-{number}", f"{tag} {job_text('', jobs[number % NUM_JOBS].description)}", resume)
        for number, resume in enumerate(resumes)
    ]


def fresh_work() -> list[PairRequest]:
    return work(uuid.uuid4().hex[:6])


async def score_all(engine: ScoringEngine, requests: list[PairRequest]) -> list[PairScore]:
    return list(await asyncio.gather(*map(engine.score, requests)))


async def through_kafka_and_grpc(engine: ScoringEngine) -> Comparison:
    """Compares the engine alone with the same engine behind the worker and behind the API.

    Kafka's time runs from the first record sent to the last score read; the worker is running before.
    """
    settings = load_settings(worker_metrics_port=0, worker_group=f"bench-{uuid.uuid4()}")
    with EmbeddedBroker() as broker:
        settings = settings.model_copy(update={"kafka_bootstrap_servers": broker.bootstrap_servers})
        await create_topics(settings)
        stop = asyncio.Event()
        metrics = ScoringMetrics(CollectorRegistry())
        worker = asyncio.create_task(run_worker(settings, engine, metrics, stop=stop))
        async with running_api(engine) as api:
            try:
                return await compare(
                    "engine alone",
                    {
                        "engine alone": lambda: _engine_alone(engine),
                        "through Kafka": lambda: _through_kafka(settings),
                        "through gRPC": lambda: _through_grpc(api),
                    },
                    NUM_ROUNDS,
                )
            finally:
                stop.set()
                await worker


async def _engine_alone(engine: ScoringEngine) -> int:
    return len(await score_all(engine, fresh_work()))


async def _through_kafka(settings: Settings) -> int:
    requests = fresh_work()
    async with KafkaDesk(settings, patience_seconds=120) as desk:
        for number, request in enumerate(requests):
            job = {"description": request.job_description}
            await desk.apply(request.request_id, f"job-{number % NUM_JOBS}", request.resume, job=job)
        await desk.flush()
        await desk.read(APPLICATION_SCORED, lambda found: len(found) >= len(requests), at_once=True)
    return len(requests)


async def _through_grpc(api: Api) -> int:
    waiting = fresh_work()
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


async def prefix_cache(base: BaseModel, spec: EngineSpec) -> Comparison:
    """Compares pairs whose job part is shared with the same pairs computed whole."""
    engine = assemble_engine(base, spec, SilentObserver())
    engine.start()

    async def whole() -> int:
        requests = fresh_work()
        prompts = [engine._prompts.build(r.job_description, r.resume) for r in requests]
        for start in range(0, len(prompts), 3):  # as many as fill the same batch budget
            rows = [TreeRow(None, p.prefix + p.suffix) for p in prompts[start : start + 3]]
            engine._scorer.model.score_tree_logits(rows)
        return len(requests)

    try:
        ways = {"computed whole": whole, "shared prefix": lambda: _engine_alone(engine)}
        return await compare("computed whole", ways, NUM_ROUNDS)
    finally:
        engine.close()


async def spread_between_batches(base: BaseModel, spec: EngineSpec) -> dict[str, float]:
    """Returns how far a pair's score moves with its company, in points."""
    requests = work("spread")[:48]
    scores = {}
    for name, layout, budget in (
        ("alone", "sequential", 0),
        ("small", "padded", 1024),
        ("large", "padded", 8192),
    ):
        engine = assemble_engine(
            base, replace(spec, layout=layout, batch_token_budget=budget), SilentObserver()
        )
        engine.start()
        scores[name] = [result.score for result in await score_all(engine, requests)]
        engine.close()
    differences = [
        abs(a - b) for name in ("small", "large") for a, b in zip(scores["alone"], scores[name], strict=True)
    ]
    return {"largest_points": max(differences), "mean_points": sum(differences) / len(differences)}
