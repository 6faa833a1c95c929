"""Two hundred calls at once on a real engine, and what the metrics say of them."""

import asyncio
from pathlib import Path

import aiohttp
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.contracts.engine_observer import SilentObserver
from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.contracts.scoring import PairRequest
from services.events.wire.message_mapping import job_text
from services.pb.scoring.v1.events_pb2 import InlineJob
from services.pb.scoring.v1.scoring_service_pb2 import ScoreRequest
from services.scoring.engine.factory import assemble_engine
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring.model.loading.base_model import BaseModel
from tests.doubles.api import Api, running_api
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.texts import jobs, resumes

NUM_CALLS = 200
# Every label that a series of ours may carry; none of them names a job, an application or a person.
KNOWN_LABELS = {
    *("entrypoint", "outcome", "stage", "error_kind", "partition", "topic", "le", "generation"),
    *("figure", "reason"),  # of drift and of annotation requests: two values each
    *(
        "adapter_version",
        "adapter_digest",
        "base_model",
        "implementation",
        "major",
        "minor",
        "patchlevel",
        "version",
    ),
}


def started_engine(base: BaseModel) -> ScoringEngine:
    engine = assemble_engine(
        base,
        EngineSettings.of(ModelSettings(base_model=base.name, model_cache_dir=Path()), mask_identity=False),
        SilentObserver(),
    )
    engine.start()
    return engine


async def metrics_page(api: Api) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{api.addresses.http_port}/metrics") as answer,
    ):
        return await answer.text()


def label_names_and_values(page: str) -> tuple[set[str], set[str]]:
    """Parses Prometheus text; a page that does not parse raises ValueError."""
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    assert len(samples) > 50
    names = {name for sample in samples for name in sample.labels}
    return names, {value for sample in samples for value in sample.labels.values()}


async def test_two_hundred_concurrent_answers_equal_those_of_single_calls(tiny_gemma_3: BaseModel) -> None:
    posted = jobs(10)
    pairs = [(posted[n % len(posted)], resume) for n, resume in enumerate(resumes(NUM_CALLS, seed=2))]
    alone_engine = started_engine(tiny_gemma_3)
    alone = [
        await alone_engine.score(PairRequest(f"a-{n}", job_text(job.title, job.description), resume))
        for n, (job, resume) in enumerate(pairs)
    ]
    alone_engine.close()

    engine = started_engine(tiny_gemma_3)
    async with running_api(engine) as api:
        calls = [
            api.scoring.Score(
                ScoreRequest(
                    application_id=f"a-{n}",
                    job=InlineJob(title=job.title, description=job.description),
                    resume=resume,
                )
            )
            for n, (job, resume) in enumerate(pairs)
        ]
        answers = await asyncio.gather(*calls)
        page = await metrics_page(api)
    engine.close()

    for single, answer in zip(alone, answers, strict=True):
        assert answer.result.application_id == single.request_id
        assert tuple(answer.result.distribution) == single.distribution.probabilities
    names, values = label_names_and_values(page)
    assert names <= KNOWN_LABELS
    assert not values & {f"a-{n}" for n in range(NUM_CALLS)}
    assert f'scoring_requests_total{{entrypoint="score",outcome="ok"}} {NUM_CALLS}.0' in page


async def test_no_series_of_the_worker_carries_an_id(desk: KafkaDesk) -> None:
    await desk.post_job("job-x")
    for number in range(5):
        await desk.apply(f"application-{number}", "job-x")
    await desk.flush()

    async with desk.worker() as metrics:
        await desk.scores(5)
        page = generate_latest(metrics.registry).decode()

    names, values = label_names_and_values(page)
    assert names <= KNOWN_LABELS
    assert not [value for value in values if desk.prefix in value]
    assert 'scoring_requests_total{entrypoint="kafka",outcome="ok"} 5.0' in page
