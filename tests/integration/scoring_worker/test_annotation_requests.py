"""Requests for labels on a real topic, and what the command shows of them."""

import asyncio
import os
import subprocess
import sys

import pytest
from aiokafka.errors import TopicAuthorizationFailedError

from services.contracts.scoring import NUM_SCORES, PairRequest, PairScore, ScoreDistribution
from services.contracts.topics import ANNOTATION_REQUESTED
from services.events.wire.event_codec import decode_event
from services.pb.scoring.v1.events_pb2 import AnnotationRequested
from services.process.settings import Settings
from services.scoring_worker import annotation_choice, annotation_requests
from services.scoring_worker.metrics import WorkerMetrics
from tests.doubles.clock import Clock
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.scorer import FakeScorer, fake_score
from tests.doubles.waiting import until


class DoubtfulScorer(FakeScorer):
    """Gives the resume "N M" the scores N and M with equal probability."""

    async def score(self, request: PairRequest) -> PairScore:
        await super().score(request)
        scores = {int(word) for word in request.resume.split()}
        probabilities = tuple(1 / len(scores) if at in scores else 0.0 for at in range(NUM_SCORES))
        score = fake_score(request)
        return PairScore(
            request.request_id,
            ScoreDistribution(probabilities),
            score.adapter_digest,
            score.adapter_version,
            score.base_model,
            score.prompt_version,
            score.num_prompt_tokens,
            score.num_truncated_tokens,
        )


def with_rate(desk: KafkaDesk, per_hour: int) -> None:
    desk.settings = desk.settings.model_copy(update={"annotation_requests_per_hour": per_hour})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(
        annotation_requests,
        "AnnotationChooser",
        lambda per_hour, _: annotation_choice.AnnotationChooser(per_hour, clock),
    )
    return clock


async def until_scored(metrics: WorkerMetrics, num: int) -> None:
    ok = {"entrypoint": "kafka", "outcome": "ok"}
    await until(lambda: metrics.registry.get_sample_value("scoring_requests_total", ok) == num)


async def test_the_least_certain_applications_are_asked_for_after_their_scores(
    desk: KafkaDesk, clock: Clock
) -> None:
    with_rate(desk, 3600)
    await desk.post_job("a")
    await desk.apply("certain", "a", "70")
    await desk.apply("narrow", "a", "73 77")
    await desk.apply("wide", "a", "10 90")
    await desk.flush()

    async with desk.worker(DoubtfulScorer()) as metrics:
        await until_scored(metrics, 3)
        clock.now += 1
        (first,) = await desk.read(ANNOTATION_REQUESTED, lambda found: len(found) >= 1, at_once=True)
        await desk.apply("border", "a", "64 66")
        await desk.apply("far", "a", "20 30")
        await desk.flush()
        await until_scored(metrics, 5)
        clock.now += 1
        records = await desk.read(ANNOTATION_REQUESTED, lambda found: len(found) >= 2)
        shown = await asyncio.to_thread(watch_annotations, desk.settings)

    assert len(records) == 2
    events = {r.key: decode_event(r.value, tuple(r.headers), AnnotationRequested) for r in records}
    wide, border = (events[desk.name(name).encode()] for name in ("wide", "border"))
    assert first.key == wide.application_id.encode()
    assert (wide.score, wide.standard_deviation, wide.job_id) == (50.0, 40.0, desk.name("a"))
    assert (wide.reason, border.reason) == ("standard_deviation", "category_margin")
    assert dict(first.headers)["ce_type"] == ANNOTATION_REQUESTED.encode()
    for reason in ("standard_deviation", "category_margin"):
        sent = {"reason": reason}
        assert metrics.registry.get_sample_value("scoring_annotation_requests_total", sent) == 1
    assert sorted(shown) == sorted(
        [
            f"  50.0 +- 40.0  fair       widest distribution      {wide.application_id}  job {wide.job_id}",
            f"  65.0 +-  1.0  good       nearest to a border      {border.application_id}  job {wide.job_id}",
        ]
    )


def watch_annotations(settings: Settings) -> list[str]:
    finished = subprocess.run(
        [sys.executable, "-m", "services.cli", "watch", "annotations", "--from-beginning", "--count", "2"],
        env=os.environ | {"SCORER_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.splitlines()


async def test_a_refused_request_is_dropped_and_scoring_goes_on(
    desk: KafkaDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_rate(desk, 3600)
    refused = []

    async def refuse(_producer: object, topic: str, **_: object) -> None:
        refused.append(topic)
        raise TopicAuthorizationFailedError(topic)

    monkeypatch.setattr(annotation_requests, "publish", refuse)
    await desk.post_job("a")
    await desk.apply("one", "a", "10 90")
    await desk.flush()

    async with desk.worker(DoubtfulScorer()) as metrics:
        await desk.scores(1)
        await until(lambda: len(refused) == 1)
        await desk.apply("two", "a", "10 90")
        assert set(await desk.scores(2)) == {"one", "two"}
        await until(lambda: len(refused) == 2)

    assert refused == [ANNOTATION_REQUESTED] * 2
    sent = {"reason": "standard_deviation"}
    assert metrics.registry.get_sample_value("scoring_annotation_requests_total", sent) == 0


async def test_a_rate_of_zero_asks_for_nothing(desk: KafkaDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    with_rate(desk, 0)
    made = []
    monkeypatch.setattr(annotation_requests, "AnnotationChooser", lambda *_: made.append(1))
    await desk.post_job("a")
    await desk.apply("wide", "a", "10 90")
    await desk.flush()

    async with desk.worker(DoubtfulScorer()):
        await desk.scores(1)

    assert not made
