"""The client for asyncio."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Self

import grpc

from services.client.async_stream import AsyncStream
from services.client.call_budget import CallBudget
from services.client.connection import ClientOptions
from services.client.errors import failure_of
from services.client.requests import Explanation, Job, Pair, check_size, explain_request, rank_request
from services.client.stream_flow import StreamFlow
from services.pb.scoring.v1.adapter_service_pb2 import ListAdaptersRequest, ListAdaptersResponse
from services.pb.scoring.v1.adapter_service_pb2_grpc import AdapterServiceStub
from services.pb.scoring.v1.events_pb2 import ScoreLabelled
from services.pb.scoring.v1.feedback_service_pb2 import SubmitLabelRequest, SubmitLabelResponse
from services.pb.scoring.v1.feedback_service_pb2_grpc import FeedbackServiceStub
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.pb.scoring.v1.scoring_service_pb2 import StreamScoresResponse
from services.pb.scoring.v1.scoring_service_pb2_grpc import ScoringServiceStub


class AsyncScoringClient:
    """Asks the API from one event loop; otherwise as ``ScoringClient``, where everything is described.

    Args:
        target: ``host:port``, ``dns:///name:port``, or ``ipv4:host:port,host:port`` for several servers.
        options: TLS, token and the usual deadline.

    Raises:
        OSError: a certificate's file cannot be read.
    """

    def __init__(self, target: str, options: ClientOptions | None = None) -> None:
        self._options = options or ClientOptions()
        self._channel = self._options.open_channel(target, grpc.aio)
        self._scoring: Any = ScoringServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._feedback: Any = FeedbackServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._adapters: Any = AdapterServiceStub(self._channel)  # type: ignore[no-untyped-call]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connections; calls in flight are cancelled."""
        await self._channel.close()

    async def score(
        self, job: Job, resume: str, *, application_id: str = "", timeout_seconds: float | None = None
    ) -> ScoreResult:
        """Returns the score of one resume."""
        request = Pair(job, resume, application_id).request()
        result: ScoreResult = (await self._call(self._scoring.Score, request, timeout_seconds)).result
        return result

    async def rank(
        self, job: Job, resumes: Iterable[tuple[str, str]], *, timeout_seconds: float | None = None
    ) -> list[ScoreResult]:
        """Returns the scores of at most 256 resumes, best first."""
        request = rank_request(job, resumes)
        return list((await self._call(self._scoring.RankCandidates, request, timeout_seconds)).results)

    async def stream(
        self, pairs: AsyncIterable[Pair], *, timeout_seconds: float | None = None
    ) -> AsyncIterator[StreamScoresResponse]:
        """Yields the outcome of each pair as it is ready, in any order."""
        ends_at = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        flow = StreamFlow(self._options.max_attempts, ends_at)
        stream = AsyncStream(pairs, flow)
        call = self._scoring.StreamScores(
            stream.requests(), timeout=timeout_seconds, metadata=self._options.metadata
        )
        try:
            async for answer in call:
                if await stream.settle(answer):
                    yield answer
        except grpc.RpcError as error:
            raise failure_of(error) from error
        finally:
            call.cancel()
            await stream.close()
        if flow.failure is not None:
            raise flow.failure

    async def explain(
        self, pair: Pair, *, max_tokens: int = 0, timeout_seconds: float | None = None
    ) -> Explanation:
        """Returns score, measured influence of lines, and the model's words."""

        async def whole(request: Any, **options: Any) -> Explanation:
            return Explanation.from_parts([part async for part in self._scoring.Explain(request, **options)])

        explanation: Explanation = await self._call(whole, explain_request(pair, max_tokens), timeout_seconds)
        return explanation

    async def submit_label(
        self, label: ScoreLabelled, *, timeout_seconds: float | None = None
    ) -> SubmitLabelResponse:
        """Publishes a person's label; it is in Kafka when this returns."""
        request = SubmitLabelRequest(label=label)
        answer: SubmitLabelResponse = await self._call(self._feedback.SubmitLabel, request, timeout_seconds)
        return answer

    async def list_adapters(self, *, timeout_seconds: float | None = None) -> ListAdaptersResponse:
        """Returns the stored adapters, newest first, and the active digest; needs a token of scope admin."""
        request = ListAdaptersRequest()
        answer: ListAdaptersResponse = await self._call(self._adapters.ListAdapters, request, timeout_seconds)
        return answer

    async def _call(
        self, method: Callable[..., Awaitable[Any]], request: Any, timeout_seconds: float | None
    ) -> Any:
        check_size(request)
        budget = CallBudget(self._options.timeout_seconds if timeout_seconds is None else timeout_seconds)
        while True:
            try:
                return await method(request, timeout=budget.seconds_left, metadata=self._options.metadata)
            except grpc.RpcError as error:
                await asyncio.sleep(budget.pause_before_retry(error))
