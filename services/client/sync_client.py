"""The client for threads."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import grpc

from services.client.call_budget import CallBudget
from services.client.connection import ClientOptions
from services.client.errors import failure_of
from services.client.requests import Explanation, Job, Pair, check_size, explain_request, rank_request
from services.client.stream_flow import StreamFlow
from services.client.sync_stream import BlockingStream
from services.pb.scoring.v1.adapter_service_pb2 import ListAdaptersRequest, ListAdaptersResponse
from services.pb.scoring.v1.adapter_service_pb2_grpc import AdapterServiceStub
from services.pb.scoring.v1.events_pb2 import ScoreLabelled
from services.pb.scoring.v1.feedback_service_pb2 import SubmitLabelRequest, SubmitLabelResponse
from services.pb.scoring.v1.feedback_service_pb2_grpc import FeedbackServiceStub
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.pb.scoring.v1.scoring_service_pb2 import ScoreRequest, StreamScoresResponse
from services.pb.scoring.v1.scoring_service_pb2_grpc import ScoringServiceStub


class ScoringClient:
    """Asks the API; threads may share one.

    Every method raises ``CallFailed``, in one of the kinds of ``services.client.errors``. ``timeout_seconds``
    bounds a call with all its retries; None: that of the options.

    Args:
        target: ``host:port``, ``dns:///name:port``, or ``ipv4:host:port,host:port`` for several servers.
        options: TLS, token and the usual deadline.

    Raises:
        OSError: a certificate's file cannot be read.
    """

    def __init__(self, target: str, options: ClientOptions | None = None) -> None:
        self._options = options or ClientOptions()
        self._channel = self._options.open_channel(target, grpc)
        self._scoring = ScoringServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._feedback = FeedbackServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._adapters = AdapterServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections; calls in flight are cancelled."""
        self._channel.close()

    def score(
        self, job: Job, resume: str, *, application_id: str = "", timeout_seconds: float | None = None
    ) -> ScoreResult:
        """Returns the score of one resume."""
        request: ScoreRequest = Pair(job, resume, application_id).request()
        result: ScoreResult = self._call(self._scoring.Score, request, timeout_seconds).result
        return result

    def rank(
        self, job: Job, resumes: Iterable[tuple[str, str]], *, timeout_seconds: float | None = None
    ) -> list[ScoreResult]:
        """Returns the scores of at most 256 resumes, best first.

        Args:
            resumes: application id and plain text of each.
        """
        request = rank_request(job, resumes)
        return list(self._call(self._scoring.RankCandidates, request, timeout_seconds).results)

    def stream(
        self, pairs: Iterable[Pair], *, timeout_seconds: float | None = None
    ) -> Iterator[StreamScoresResponse]:
        """Yields the outcome of each pair as it is ready, in any order.

        A pair that cannot be scored is answered with its error, and the stream goes on. One that the server
        had no room for is sent again after the pause that the server names, at most ``max_attempts`` times in
        all and not beyond the deadline; its last refusal is its answer then. A stream that breaks is not
        begun again: the caller knows which ids it has answers for. The server ends one whose source gives
        nothing for long (five minutes, where it has no other setting).

        Args:
            pairs: with an application id each; read by a thread of its own, as fast as the server takes them,
                with at most 129 in flight.
            timeout_seconds: for the whole stream; None: without end.
        """
        ends_at = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        flow = StreamFlow(self._options.max_attempts, ends_at)
        stream = BlockingStream(pairs, flow)
        call = self._scoring.StreamScores(
            stream.requests(), timeout=timeout_seconds, metadata=self._options.metadata
        )
        try:
            for answer in call:
                if stream.settle(answer):
                    yield answer
        except grpc.RpcError as error:
            raise failure_of(error) from error
        finally:
            call.cancel()
            stream.close()
        if flow.failure is not None:
            raise flow.failure

    def explain(
        self, pair: Pair, *, max_tokens: int = 0, timeout_seconds: float | None = None
    ) -> Explanation:
        """Returns score, measured influence of lines, and the model's words.

        Args:
            max_tokens: of the words, at most 512; 0: the server's usual number.
        """

        def whole(request: Any, **options: Any) -> Explanation:
            return Explanation.from_parts(self._scoring.Explain(request, **options))

        explanation: Explanation = self._call(whole, explain_request(pair, max_tokens), timeout_seconds)
        return explanation

    def submit_label(
        self, label: ScoreLabelled, *, timeout_seconds: float | None = None
    ) -> SubmitLabelResponse:
        """Publishes a person's label; it is in Kafka when this returns."""
        request = SubmitLabelRequest(label=label)
        answer: SubmitLabelResponse = self._call(self._feedback.SubmitLabel, request, timeout_seconds)
        return answer

    def list_adapters(self, *, timeout_seconds: float | None = None) -> ListAdaptersResponse:
        """Returns the stored adapters, newest first, and the active digest; needs a token of scope admin."""
        request = ListAdaptersRequest()
        answer: ListAdaptersResponse = self._call(self._adapters.ListAdapters, request, timeout_seconds)
        return answer

    def _call(self, method: Callable[..., Any], request: Any, timeout_seconds: float | None) -> Any:
        check_size(request)
        budget = CallBudget(self._options.timeout_seconds if timeout_seconds is None else timeout_seconds)
        while True:
            try:
                return method(request, timeout=budget.seconds_left, metadata=self._options.metadata)
            except grpc.RpcError as error:
                time.sleep(budget.pause_before_retry(error))
