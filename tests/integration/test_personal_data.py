"""Plants marks in a whole run of worker, API and trainer, and searches everything that the run wrote."""

import asyncio
import contextlib
import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest

from services.contracts.errors import ScoringFailed
from services.contracts.topics import APPLICATION_SUBMITTED, JOB_POSTED, SCORE_LABELLED, dead_letter_topic
from services.pb.scoring.v1.events_pb2 import InlineJob, ScoreLabelled
from services.pb.scoring.v1.feedback_service_pb2 import SubmitLabelRequest
from services.pb.scoring.v1.scoring_service_pb2 import ExplainRequest, ScoreRequest
from services.process.logging import configure_logging
from services.process.settings import Settings
from services.scoring_worker.app import run_worker
from services.scoring_worker.metrics import WorkerMetrics
from tests.doubles.api import Api, running_api
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.scorer import FakeScorer
from tests.doubles.trainer import TrainerDesk, running_trainer, trainer_settings

NAME, MAIL, PHONE = "Mxyzptlk Quibberson", "mxyzptlk@quibberson.example", "+49 30 5550 1234"
TEXT = "led the zorbing division of Quibberworks"
PERSON = f"{NAME}\n{MAIL}\n{PHONE}\n{TEXT}"
JOB_TEXT = "Zorbmaster wanted at Quibberworks"
MARKS = ("Mxyzptlk", "mxyzptlk", "uibberson", "5550 1234", "zorb", "Zorb", "uibberworks")


@pytest.fixture
def _restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    hooks = sys.excepthook, threading.excepthook
    yield
    root.handlers[:], level, logging.raiseExceptions = before
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks
    structlog.reset_defaults()


@pytest.mark.usefixtures("_restored_logging")
async def test_no_mark_of_a_person_reaches_logs_metrics_errors_or_the_audit_log(
    settings: Settings, desk: KafkaDesk, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logging(Settings(log_level="DEBUG"), "scoring-worker")
    audit = tmp_path / "audit"
    settings = settings.model_copy(update={"audit_log_dir": str(audit), "strict_fields": True})
    scorer = FakeScorer()
    scorer.failures = {"FAIL": ScoringFailed(f"cannot score {PERSON}")}
    written: list[str] = []
    async with full_run(settings, desk, scorer, tmp_path) as (api, worker_metrics, trainer):
        await send_everything(desk)
        for letter in await desk.dead_letters(4):
            written.append(repr([each for each in letter.headers if each[0].startswith("scorer.")]))
        for topic in (JOB_POSTED, SCORE_LABELLED):
            letters = await desk.dead_letters(1, dead_letter_topic(topic))
            written += [repr(each.headers) for each in letters]
        await trainer.counts(lambda counts: counts.num_usable == 1)
        assert PERSON in trainer.labels.pairs([desk.name("good")])[0].resume
        await desk.scores(1)
        written += await provoke_every_grpc_error(api, scorer)
        written += [
            generate_latest(registry).decode() for registry in (worker_metrics.registry, api.registry)
        ]
        written.append(await fetch_metrics(api))
        written.append(repr((settings, scorer, api, trainer.settings)))
    written += [path.read_text() for path in audit.iterdir()]
    written += capfd.readouterr()

    everything = "\n".join(written)
    assert "dead letter" in everything  # the logs were caught
    assert "input_sha256" in everything  # and so was the audit log
    found = [
        everything[max(0, at - 80) : at + 40] for mark in MARKS for at in [everything.find(mark)] if at >= 0
    ]
    assert found == []


@contextlib.asynccontextmanager
async def full_run(
    settings: Settings, desk: KafkaDesk, scorer: FakeScorer, folder: Path
) -> AsyncIterator[tuple[Api, WorkerMetrics, TrainerDesk]]:
    """Runs worker, API and trainer on one broker."""
    metrics, stop = WorkerMetrics(CollectorRegistry()), asyncio.Event()
    worker = asyncio.create_task(run_worker(settings, scorer, metrics, stop=stop))
    trainer = TrainerDesk(trainer_settings(settings, folder), desk)
    try:
        async with (
            running_trainer(trainer.settings),
            running_api(scorer, audit_log_dir=settings.audit_log_dir) as api,
        ):
            yield api, metrics, trainer
    finally:
        stop.set()
        await worker
        trainer.close()


async def send_everything(desk: KafkaDesk) -> None:
    """Sends a good application with its label, and every kind of bad record with marks all over it."""
    await desk.post_job("job", JOB_TEXT)
    await desk.apply("good", "job", PERSON)
    label = desk.application("good", "job", PERSON).replace(b'"job_id"', b'"reasoning"')
    await desk.send(
        SCORE_LABELLED, "good", label[:-1] + b', "rater": "r-1", "score": 70, "job_description": "x"}'
    )
    await desk.send(APPLICATION_SUBMITTED, "job", PERSON.encode())
    await desk.send(APPLICATION_SUBMITTED, "job", desk.application("bad", "job", [PERSON]))
    await desk.send(APPLICATION_SUBMITTED, "job", desk.application("bad", "job", PERSON, **{NAME: MAIL}))
    await desk.apply("failing", "job", f"FAIL {PERSON}")
    await desk.send(SCORE_LABELLED, "bad", b'{"application_id": "' + PERSON.encode() + b'"}')
    await desk.send(JOB_POSTED, "bad", b'{"' + JOB_TEXT.encode() + b'": 1}')
    await desk.flush()


async def provoke_every_grpc_error(api: Api, scorer: FakeScorer) -> list[str]:
    """Returns what a client sees when calls with marks fail in every layer."""
    job = InlineJob(title="Zorbmaster", description=JOB_TEXT)
    good = ScoreRequest(application_id="a-1", job=job, resume=PERSON)
    await api.scoring.Score(good)
    label = ScoreLabelled(application_id="a-1", rater=PERSON, reasoning=PERSON, category=NAME)
    calls = [
        api.scoring.Score(ScoreRequest(application_id=PERSON, job=job, resume=PERSON)),
        api.scoring.Score(ScoreRequest(application_id="a-2", job=job, resume=f"FAIL {PERSON}")),
        api.scoring.Score(ScoreRequest(application_id="a-3", job=job, resume=PERSON * 5000)),
        api.feedback.SubmitLabel(SubmitLabelRequest(label=label)),
    ]
    seen = [await told_by(call) for call in calls]
    scorer.failures["zorbing"] = ValueError(f"cannot read {PERSON}")  # a bug, with a resume in its text
    seen.append(await told_by(api.scoring.Score(good)))
    seen.append(await told_by(api.scoring.Explain(ExplainRequest(request=good)).read()))
    return seen


async def told_by(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call
    return f"{failed.value!r} {failed.value.trailing_metadata()}"


async def fetch_metrics(api: Api) -> str:
    url = f"http://127.0.0.1:{api.addresses.http_port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.text()
