"""A running API over a fake scorer, and a channel to it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
import pytest
from google.protobuf.message import Message
from grpc_status import rpc_status
from prometheus_client import CollectorRegistry

from services.contracts.engine import PairScorer
from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.scoring import PairRequest
from services.pb.scoring.v1.events_pb2 import InlineJob
from services.pb.scoring.v1.feedback_service_pb2_grpc import FeedbackServiceStub
from services.pb.scoring.v1.scoring_service_pb2 import ScoreRequest
from services.pb.scoring.v1.scoring_service_pb2_grpc import ScoringServiceStub
from services.process.settings import Settings
from services.scoring_api.app import ApiAddresses, run_api
from services.scoring_api.metrics import ApiMetrics
from tests.doubles.publisher import FakePublisher
from tests.doubles.scorer import fake_score

D = TypeVar("D", bound=Message)
Metadata = tuple[tuple[str, str], ...]
JOB = InlineJob(title="Nurse", description="Cares for patients on two wards.")
JOB_TEXT = "Nurse\n\nCares for patients on two wards."


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


async def failure_of(call: Any) -> grpc.aio.AioRpcError:
    """Returns how a call failed."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def detail_of(failure: grpc.aio.AioRpcError, kind: type[D]) -> D:
    """Returns a detail of a failure, whose status says the same in both of its places."""
    status = rpc_status.from_call(failure)
    assert status is not None
    assert status.code == failure.code().value[0]
    assert status.message == failure.details()
    for packed in status.details:
        detail = kind()
        if packed.Unpack(detail):
            return detail
    raise AssertionError(f"the status has no {kind.__name__}")


def write_tokens(path: Path, callers: dict[str, tuple[str, ...]]) -> Path:
    """Writes a tokens file with these callers and their scopes."""
    path.write_text(
        "".join(
            f'[callers.{name}]\ntoken_sha256 = "{hashlib.sha256(f"token of {name}".encode()).hexdigest()}"\n'
            f"scopes = {list(scopes)}\n"
            for name, scopes in callers.items()
        )
    )
    return path


def token_of(name: str) -> Metadata:
    """Returns the metadata of a call by a caller of ``write_tokens``."""
    return (("authorization", f"Bearer token of {name}"),)
