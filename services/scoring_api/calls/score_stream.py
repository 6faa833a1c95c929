"""One StreamScores call: bounded work in flight, answers as they are ready, bad pairs answered too."""

import asyncio
from collections.abc import Callable

import grpc

from services.contracts.errors import EngineClosed, FieldViolation
from services.contracts.outcomes import Entrypoint
from services.events.wire.message_mapping import result_message
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.pb.scoring.v1.scoring_service_pb2 import PairError, StreamScoresRequest, StreamScoresResponse
from services.scoring_api.answers.call_errors import StreamIdle
from services.scoring_api.answers.deadlines import deadline_of
from services.scoring_api.answers.error_status import message_of, retry_delay_of, row_of
from services.scoring_api.calls.call_answers import log_fault
from services.scoring_api.calls.pair_scoring import INNER_REQUEST_PATHS, PairScoring, pair_of

# Enough to fill a batch from one stream, few enough that no stream owns the engine's queue.
MAX_IN_FLIGHT = 64


class ScoreStream:
    """Reads pairs and writes their outcomes.

    Args:
        scoring: checks, scores and counts pairs.
        default_deadline_seconds: for each pair, where the stream has no deadline.
        idle_seconds: how long there may be no pair in flight, or an answer that the client does not take.
        max_in_flight: pairs read and not yet answered; more are left in the transport, which then makes
            the client wait.
        charge: charges the caller for a pair, or raises.
    """

    def __init__(
        self,
        scoring: PairScoring,
        context: grpc.aio.ServicerContext,
        default_deadline_seconds: float,
        idle_seconds: float,
        max_in_flight: int = MAX_IN_FLIGHT,
        charge: Callable[[int], None] = lambda _num: None,
    ) -> None:
        self._scoring = scoring
        self._context = context
        self._default_deadline_seconds = default_deadline_seconds
        self._idle_seconds = idle_seconds
        self._permits = asyncio.Semaphore(max_in_flight)
        self._num_in_flight = 0
        self._charge = charge
        self._writing = asyncio.Lock()

    async def answer_all(self, draining: asyncio.Event) -> None:
        """Answers every pair until the client ends the stream.

        Args:
            draining: once set, no further pair is read.

        Raises:
            EngineClosed: the server is draining; what was read has been answered.
            StreamIdle: the client does nothing.
            MessageUnreadable: it sent what is no pair.
        """
        try:
            async with asyncio.TaskGroup() as pairs:
                while True:
                    await self._permits.acquire()
                    request = await self._next_request(draining)
                    if request is None:
                        break
                    self._num_in_flight += 1
                    pairs.create_task(self._answer(request))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        if draining.is_set():
            raise EngineClosed("the server is draining")

    async def _next_request(self, draining: asyncio.Event) -> StreamScoresRequest | None:
        reading = asyncio.ensure_future(self._context.read())
        stopping = asyncio.ensure_future(draining.wait())
        try:
            while not (reading.done() or stopping.done()):
                ended, _ = await asyncio.wait(
                    (reading, stopping), timeout=self._idle_seconds, return_when=asyncio.FIRST_COMPLETED
                )
                if not ended and not self._num_in_flight:
                    raise StreamIdle("no pair came")
            if not reading.done():
                return None
            request = reading.result()
            return None if request is grpc.aio.EOF else request
        finally:
            reading.cancel()
            stopping.cancel()

    async def _answer(self, request: StreamScoresRequest) -> None:
        try:
            answer = StreamScoresResponse(result=await self._score(request))
        except Exception as error:  # whatever is wrong with one pair, the stream goes on
            log_fault(error)
            answer = StreamScoresResponse(error=_pair_error(request, error))
        async with self._writing:  # a call takes one message at a time
            await self._write(answer)
        self._num_in_flight -= 1
        self._permits.release()

    async def _write(self, answer: StreamScoresResponse) -> None:
        try:
            async with asyncio.timeout(self._idle_seconds):
                await self._context.write(answer)
        except TimeoutError as error:
            raise StreamIdle("the client takes no answer") from error

    async def _score(self, request: StreamScoresRequest) -> ScoreResult:
        self._charge(1)
        self._scoring.check(Entrypoint.STREAM, request, _missing_id(request))
        deadline = deadline_of(self._context, self._default_deadline_seconds)
        pair = pair_of(request.request, deadline)
        score = await self._scoring.score(Entrypoint.STREAM, pair, deadline, INNER_REQUEST_PATHS)
        return result_message(score, pair, job_id="")


def _missing_id(request: StreamScoresRequest) -> tuple[FieldViolation, ...]:
    # The schema leaves the id optional, because a single call needs none.
    if not request.HasField("request") or request.request.application_id.strip():
        return ()
    return (FieldViolation("request.application_id", "is required in a stream"),)


def _pair_error(request: StreamScoresRequest, error: Exception) -> PairError:
    return PairError(
        application_id=request.request.application_id,
        code=row_of(error).code.name,
        message=message_of(error),
        retry_delay=retry_delay_of(error),
    )
