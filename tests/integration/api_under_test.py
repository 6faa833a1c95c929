"""A running API over a fake scorer, and a channel to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from prometheus_client import CollectorRegistry

from services.contracts.engine import PairScorer
from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.scoring import PairRequest, PairScore
from services.pb.scoring.v1.events_pb2 import InlineJob, ScoreLabelled
from services.pb.scoring.v1.feedback_service_pb2_grpc import FeedbackServiceStub
from services.pb.scoring.v1.scoring_service_pb2 import ScoreRequest
from services.pb.scoring.v1.scoring_service_pb2_grpc import ScoringServiceStub
from services.process.settings import Settings
from services.scoring_api.answers.call_errors import LabelNotPublished
from services.scoring_api.app import ApiAddresses, run_api
from services.scoring_api.calls.label_publisher import RecordPosition
from services.scoring_api.metrics import ApiMetrics
from tests.fake_scorer import FakeScorer, fake_score

JOB = InlineJob(title="Nurse", description="Cares for patients on two wards.")
JOB_TEXT = "Nurse\n\nCares for patients on two wards."


class GatedScorer(FakeScorer):
    """Holds every pair until the gate opens.

    Attributes:
        gate: lets pairs through while set.
        entered: ids that came in.
        withdrawn: ids whose caller left.
        deadlines: of the pairs that came in.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.entered: list[str] = []
        self.withdrawn: list[str] = []
        self.deadlines: list[float | None] = []

    async def score(self, request: PairRequest) -> PairScore:
        self.entered.append(request.request_id)
        self.deadlines.append(request.deadline)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.withdrawn.append(request.request_id)
            raise
        return await super().score(request)

    async def until_entered(self, num: int) -> None:
        """Returns when so many pairs have come in."""
        async with asyncio.timeout(5):
            while len(self.entered) < num:
                await asyncio.sleep(0.005)


class FakePublisher:
    """Remembers labels, or refuses them while ``is_down``."""

    def __init__(self) -> None:
        self.labels: list[ScoreLabelled] = []
        self.is_down = False

    async def publish(self, label: ScoreLabelled) -> RecordPosition:
        if self.is_down:
            raise LabelNotPublished("Kafka did not take the label")
        self.labels.append(label)
        return RecordPosition(partition=3, offset=len(self.labels) + 40)


@dataclass(frozen=True)
class Api:
    """What a test needs of a running API."""

    addresses: ApiAddresses
    channel: Any
    scoring: Any
    feedback: Any
    publisher: FakePublisher
    registry: CollectorRegistry
    stop: asyncio.Event
    running: "asyncio.Task[None]"

    def num_requests(self, entrypoint: str, outcome: str) -> float:
        """Returns what the counter says."""
        labels = {"entrypoint": entrypoint, "outcome": outcome}
        return self.registry.get_sample_value("scoring_requests_total", labels) or 0.0


@asynccontextmanager
async def running_api(scorer: PairScorer, warm_up: Any = None, **settings: Any) -> AsyncIterator[Api]:
    """Runs an API on free ports and stops it at the end."""
    chosen = Settings(**({"grpc_port": 0, "api_metrics_port": 0, "drain_seconds": 5.0} | settings))
    publisher, registry, stop = FakePublisher(), CollectorRegistry(), asyncio.Event()
    listening: asyncio.Future[ApiAddresses] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        run_api(
            chosen,
            scorer,
            ApiMetrics(registry),
            stop=stop,
            publisher=publisher,
            warm_up=warm_up,
            on_listening=listening.set_result,
        )
    )
    await asyncio.wait((running, listening), return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    addresses = listening.result()
    async with grpc.aio.insecure_channel(addresses.grpc) as channel:
        yield Api(
            addresses,
            channel,
            ScoringServiceStub(channel),  # type: ignore[no-untyped-call]
            FeedbackServiceStub(channel),  # type: ignore[no-untyped-call]
            publisher,
            registry,
            stop,
            running,
        )
    stop.set()
    await running


def score_request(number: int, resume: str = "Ten years of nursing") -> ScoreRequest:
    """Returns a valid request."""
    return ScoreRequest(application_id=f"application-{number}", job=JOB, resume=f"{resume}, number {number}.")


def expected_score(request: ScoreRequest) -> float:
    """Returns the score that the fake gives to a request for ``JOB``."""
    return fake_score(PairRequest(request.application_id, JOB_TEXT, request.resume)).score


def refusal(field: str) -> InvalidInput:
    """Returns what the engine raises for a text that it cannot read."""
    return InvalidInput("empty_text", [FieldViolation(field, "holds no readable text")])
