"""``scoring.v1.ScoringService``: every method decodes, hands over, encodes; errors map in one place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc

from services.contracts.errors import FieldViolation
from services.contracts.outcomes import Entrypoint
from services.contracts.scoring import PairRequest
from services.events.wire.message_mapping import attribution_message, job_text, result_message
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.pb.scoring.v1.scoring_service_pb2 import (
    ExplainRequest,
    ExplainResponse,
    RankCandidatesRequest,
    RankCandidatesResponse,
    ScoreRequest,
    ScoreResponse,
    StreamScoresRequest,
)
from services.pb.scoring.v1.scoring_service_pb2_grpc import ScoringServiceServicer
from services.scoring.engine import NO_READABLE_TEXT, attribute_score, readable_sentences
from services.scoring_api.answers.deadlines import deadline_of, ends_by
from services.scoring_api.calls.call_answers import CallAnswers
from services.scoring_api.calls.explanation_price import max_tokens_of, price_of
from services.scoring_api.calls.pair_scoring import INNER_REQUEST_PATHS, PairScoring, pair_of
from services.scoring_api.calls.patient_scorer import PatientScorer
from services.scoring_api.calls.score_stream import ScoreStream

NO_JOB_ID = ""  # these calls bring the job itself


class ScoringServicer(ScoringServiceServicer):
    """Answers from a ``PairScorer``; concurrent calls share its batches.

    Args:
        scoring: checks, scores and counts pairs.
        answers: ends every call with the right status.
        default_deadline_seconds: for calls that come without a deadline.
        idle_seconds: how long a stream may stay open while nothing happens.
    """

    def __init__(
        self,
        scoring: PairScoring,
        answers: CallAnswers,
        default_deadline_seconds: float,
        idle_seconds: float,
    ) -> None:
        self._scoring = scoring
        self._patient = PatientScorer(scoring.scorer)
        self._answers = answers
        self._default_deadline_seconds = default_deadline_seconds
        self._idle_seconds = idle_seconds

    async def Score(self, request: ScoreRequest, context: grpc.aio.ServicerContext) -> ScoreResponse:
        """Scores one pair."""
        async with self._answers.answering(context):
            self._scoring.check(Entrypoint.SCORE, request)
            deadline = self._deadline_of(context)
            pair = pair_of(request, deadline)
            score = await self._scoring.score(Entrypoint.SCORE, pair, deadline)
        return ScoreResponse(result=result_message(score, pair, NO_JOB_ID))

    async def RankCandidates(
        self, request: RankCandidatesRequest, context: grpc.aio.ServicerContext
    ) -> RankCandidatesResponse:
        """Scores all candidates at once; the first failure withdraws the others."""
        async with self._answers.answering(context):
            self._scoring.check(Entrypoint.RANK, request, _repeated_ids(request))
            self._answers.charge(len(request.candidates) - 1)
            results = await self._score_candidates(request, self._deadline_of(context))
        # sorted() is stable, so equal scores keep the order of the request.
        ranking = sorted(results, key=lambda result: result.score, reverse=True)
        return RankCandidatesResponse(results=ranking)

    async def StreamScores(
        self, requests: AsyncIterator[StreamScoresRequest], context: grpc.aio.ServicerContext
    ) -> None:
        """Answers the pairs of a stream as they become ready."""
        async with self._answers.answering(context):
            stream = ScoreStream(
                self._scoring,
                context,
                self._default_deadline_seconds,
                self._idle_seconds,
                charge=self._answers.charge,
            )
            await stream.answer_all(self._answers.draining)

    async def Explain(self, request: ExplainRequest, context: grpc.aio.ServicerContext) -> None:
        """Writes the score, the measured influence of lines, then the model's words by sentence."""
        async with self._answers.answering(context):
            self._scoring.check(Entrypoint.EXPLAIN, request)
            self._answers.charge(price_of(request) - 1)
            deadline = self._deadline_of(context)
            pair = pair_of(request.request, deadline)
            score = await self._scoring.score(Entrypoint.EXPLAIN, pair, deadline, INNER_REQUEST_PATHS)
            await context.write(ExplainResponse(result=result_message(score, pair, NO_JOB_ID)))
            async with ends_by(deadline):
                parts = await attribute_score(self._patient, pair, score)
            await context.write(ExplainResponse(attribution=attribution_message(parts)))
            pieces = self._scoring.scorer.explain(pair, score, max_tokens_of(request))
            sentences = readable_sentences(pieces)
            has_text = False
            # Closed, else a client that leaves would keep the model writing until the next collection.
            async with ends_by(deadline), aclosing(sentences):
                async for sentence in sentences:
                    has_text = True
                    await context.write(ExplainResponse(text=sentence))
            if not has_text:
                await context.write(ExplainResponse(text_missing=NO_READABLE_TEXT))

    async def _score_candidates(self, request: RankCandidatesRequest, deadline: float) -> list[ScoreResult]:
        job = job_text(request.job.title, request.job.description)
        pairs = [
            PairRequest(candidate.application_id, job, candidate.resume, deadline)
            for candidate in request.candidates
        ]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(
                        self._scoring.score(
                            Entrypoint.RANK, pair, deadline, {"resume": f"candidates[{index}].resume"}
                        )
                    )
                    for index, pair in enumerate(pairs)
                ]
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        return [
            result_message(task.result(), pair, NO_JOB_ID) for task, pair in zip(tasks, pairs, strict=True)
        ]

    def _deadline_of(self, context: grpc.aio.ServicerContext) -> float:
        return deadline_of(context, self._default_deadline_seconds)


def _repeated_ids(request: RankCandidatesRequest) -> tuple[FieldViolation, ...]:
    """Names every candidate whose id stands before it already: their results could not be told apart."""
    first: dict[str, int] = {}
    return tuple(
        FieldViolation(f"candidates[{index}].application_id", f"is also that of candidates[{first[each]}]")
        for index, each in enumerate(candidate.application_id for candidate in request.candidates)
        if each and first.setdefault(each, index) != index
    )
