"""The scoring API over a real channel; the scorer behind it is a fake."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from typing import Any

import grpc
import pytest

from services.contracts.errors import EngineOverloaded
from services.contracts.scoring import BASE_ADAPTER_DIGEST, NUM_SCORES, PairRequest, PairScore
from services.pb.scoring.v1.events_pb2 import ScoreLabelled
from services.pb.scoring.v1.feedback_service_pb2 import SubmitLabelRequest
from services.pb.scoring.v1.scoring_service_pb2 import (
    Candidate,
    ExplainRequest,
    RankCandidatesRequest,
)
from tests.doubles.api import JOB, Api, expected_score, refusal, running_api, score_request
from tests.doubles.scorer import FakeScorer, GatedScorer

NUM_CONCURRENT_CALLS = 200


async def test_a_score_comes_with_its_distribution_and_what_computed_it(api: Api) -> None:
    request = score_request(1)

    result = (await api.scoring.Score(request)).result

    assert result.application_id == "application-1"
    assert result.score == expected_score(request)
    assert len(result.distribution) == NUM_SCORES
    assert sum(result.distribution) == pytest.approx(1)
    assert result.adapter_digest == BASE_ADAPTER_DIGEST
    assert result.HasField("timings")
    assert api.num_requests("score", "ok") == 1


async def test_an_application_id_is_optional(api: Api) -> None:
    request = score_request(1)
    request.ClearField("application_id")

    assert (await api.scoring.Score(request)).result.application_id == ""


async def test_concurrent_calls_give_the_answers_of_single_ones() -> None:
    requests = [score_request(number) for number in range(NUM_CONCURRENT_CALLS)]
    scorer = GatedScorer()

    async with running_api(scorer) as api:
        calls = [api.scoring.Score(request) for request in requests]
        await scorer.until_entered(NUM_CONCURRENT_CALLS)  # none waits for the answer of another
        scorer.gate.set()
        answers = await asyncio.gather(*calls)
        singles = [await api.scoring.Score(request) for request in requests[:5]]

    assert [answer.result.application_id for answer in answers] == [each.application_id for each in requests]
    assert [answer.result.score for answer in answers] == [expected_score(each) for each in requests]
    assert singles == answers[:5]


async def test_a_ranking_is_best_first(api: Api) -> None:
    requests = [score_request(number) for number in range(40)]
    candidates = [Candidate(application_id=each.application_id, resume=each.resume) for each in requests]

    answer = await api.scoring.RankCandidates(RankCandidatesRequest(job=JOB, candidates=candidates))

    ranked = sorted(requests, key=expected_score, reverse=True)
    assert [result.application_id for result in answer.results] == [each.application_id for each in ranked]
    assert api.num_requests("rank", "ok") == 40


async def test_equal_scores_keep_the_order_of_the_request(api: Api) -> None:
    ids = [f"application-{number}" for number in (5, 3, 9, 1)]
    candidates = [Candidate(application_id=each, resume="The same resume.") for each in ids]

    answer = await api.scoring.RankCandidates(RankCandidatesRequest(job=JOB, candidates=candidates))

    assert [result.application_id for result in answer.results] == ids


async def test_the_candidates_of_a_ranking_are_scored_concurrently() -> None:
    scorer = GatedScorer()
    async with running_api(scorer) as api:
        candidates = [Candidate(application_id=str(each), resume=f"Resume {each}") for each in range(256)]
        call = api.scoring.RankCandidates(RankCandidatesRequest(job=JOB, candidates=candidates))

        await scorer.until_entered(256)
        scorer.gate.set()

        assert len((await call).results) == 256


async def test_one_bad_candidate_refuses_the_ranking_and_is_named(api: Api, scorer: FakeScorer) -> None:
    good = Candidate(application_id="a", resume="Ten years.")
    request = RankCandidatesRequest(
        job=JOB, candidates=[good, good, Candidate(application_id="b", resume=" ")]
    )

    with pytest.raises(grpc.aio.AioRpcError, match=r"candidates\[2\]\.resume") as caught:
        await api.scoring.RankCandidates(request)

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert scorer.scored == []


async def test_a_resume_that_the_engine_refuses_is_named_by_its_path(api: Api, scorer: FakeScorer) -> None:
    scorer.failures["unreadable"] = refusal("resume")
    candidates = [Candidate(application_id=each, resume=each) for each in ("readable", "unreadable")]

    with pytest.raises(grpc.aio.AioRpcError, match=r"candidates\[1\]\.resume: holds no readable text"):
        await api.scoring.RankCandidates(RankCandidatesRequest(job=JOB, candidates=candidates))


async def test_a_failing_candidate_withdraws_the_others() -> None:
    class OneFails(GatedScorer):
        async def score(self, request: PairRequest) -> PairScore:
            if request.request_id == "7":
                await self.until_entered(9)
                raise EngineOverloaded(0.5)
            return await super().score(request)

    scorer = OneFails()
    async with running_api(scorer) as api:
        candidates = [Candidate(application_id=str(each), resume=f"Resume {each}") for each in range(10)]

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await api.scoring.RankCandidates(RankCandidatesRequest(job=JOB, candidates=candidates))

        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert len(scorer.withdrawn) == 9
        assert api.num_requests("rank", "cancelled") == 9
        assert api.num_requests("rank", "overloaded") == 1


async def test_an_explanation_starts_with_the_score(api: Api) -> None:
    request = score_request(1)

    parts = [part async for part in api.scoring.Explain(ExplainRequest(request=request))]

    assert parts[0].result.score == expected_score(request)
    assert parts[1].HasField("attribution")
    assert [part.text for part in parts[2:]] == ["Five years of surgery. ", "No nights so far."]
    assert api.num_requests("explain", "ok") == 1


async def test_words_that_nobody_can_read_are_not_sent() -> None:
    class Degenerate(FakeScorer):
        async def explain(
            self, request: PairRequest, score: PairScore, max_tokens: int
        ) -> AsyncGenerator[str, None]:
            for _ in range(max_tokens):
                yield "\n"

    async with running_api(Degenerate()) as api:
        parts = [part async for part in api.scoring.Explain(ExplainRequest(request=score_request(1)))]

    assert [part.WhichOneof("part") for part in parts] == ["result", "attribution", "text_missing"]
    assert "writes no explanation" in parts[-1].text_missing


@pytest.mark.parametrize(("asked", "given"), [(0, 128), (17, 17)])
async def test_an_explanation_has_a_length_limit(asked: int, given: int) -> None:
    limits = []

    class Listening(FakeScorer):
        async def explain(
            self, request: PairRequest, score: PairScore, max_tokens: int
        ) -> AsyncGenerator[str, None]:
            limits.append(max_tokens)
            yield "so"

    async with running_api(Listening()) as api:
        async for _ in api.scoring.Explain(ExplainRequest(request=score_request(1), max_tokens=asked)):
            pass

    assert limits == [given]


async def test_an_explanation_ends_when_its_reader_leaves() -> None:
    ended = asyncio.Event()

    class Endless(FakeScorer):
        async def explain(
            self, request: PairRequest, score: PairScore, max_tokens: int
        ) -> AsyncGenerator[str, None]:
            try:
                for number in itertools.count():
                    ward = "".join("abcdefghij"[int(digit)] for digit in str(number))
                    yield f"The nurse led ward {ward}. "
                    await asyncio.sleep(0.001)
            finally:
                ended.set()

    async with running_api(Endless()) as api:
        call = api.scoring.Explain(ExplainRequest(request=score_request(1)))
        for _ in range(3):  # score, attribution, the first words
            await call.read()
        call.cancel()

        await asyncio.wait_for(ended.wait(), 2)


async def test_a_label_is_published_and_its_place_told(api: Api) -> None:
    label = ScoreLabelled(application_id="a-1", score=72, rater="rater-9", reasoning="Solid.")

    answer = await api.feedback.SubmitLabel(SubmitLabelRequest(label=label))

    assert (answer.partition, answer.offset) == (3, 41)
    assert api.publisher.labels == [label]


@pytest.mark.parametrize("judgement", [{"score": 0.0}, {"category": "poor"}])
async def test_a_label_needs_a_score_or_a_category(api: Api, judgement: dict[str, Any]) -> None:
    label = ScoreLabelled(application_id="a-1", rater="rater-9", **judgement)

    await api.feedback.SubmitLabel(SubmitLabelRequest(label=label))

    assert api.publisher.labels == [label]
