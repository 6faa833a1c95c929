"""StreamScores over a real channel; the scorer behind it is a fake."""

import asyncio
from collections.abc import Iterable
from typing import Any

import grpc

from services.contracts.errors import DeadlineExpired, EngineOverloaded
from services.contracts.scoring import PairRequest, PairScore
from services.pb.scoring.v1.scoring_service_pb2 import StreamScoresRequest, StreamScoresResponse
from services.scoring_api.calls.score_stream import MAX_IN_FLIGHT
from tests.doubles.api import Api, expected_score, refusal, running_api, score_request
from tests.doubles.scorer import FakeScorer, GatedScorer


def streamed(numbers: Iterable[int], resume: str = "Ten years of nursing") -> list[StreamScoresRequest]:
    return [StreamScoresRequest(request=score_request(number, resume)) for number in numbers]


async def answers_of(call: Any) -> list[StreamScoresResponse]:
    return [answer async for answer in call]


async def test_a_stream_answers_every_pair_once(api: Api) -> None:
    requests = streamed(range(300))

    answers = await answers_of(api.scoring.StreamScores(iter(requests)))

    assert {each.result.application_id: each.result.score for each in answers} == {
        each.request.application_id: expected_score(each.request) for each in requests
    }
    assert len(answers) == 300
    assert api.num_requests("stream", "ok") == 300


async def test_a_stream_answers_what_is_ready_first() -> None:
    class SlowFirst(FakeScorer):
        async def score(self, request: PairRequest) -> PairScore:
            self.delay_seconds = 0.3 if request.request_id == "application-0" else 0.0
            return await super().score(request)

    async with running_api(SlowFirst()) as api:
        answers = await answers_of(api.scoring.StreamScores(iter(streamed(range(5)))))

    assert answers[-1].result.application_id == "application-0"


async def test_a_stream_goes_on_after_bad_pairs(api: Api, scorer: FakeScorer) -> None:
    scorer.failures = {
        "unreadable": refusal("resume"),
        "overload": EngineOverloaded(0.5),
        "late": DeadlineExpired("the deadline passed"),
        "bug": ZeroDivisionError("private words of the pair"),
    }
    nameless = streamed([0])[0]
    nameless.request.ClearField("application_id")
    requests = [
        *streamed([1], "unreadable"),
        *streamed([2], "overload"),
        *streamed([3], "late"),
        *streamed([4], "bug"),
        nameless,
        StreamScoresRequest(),
        *streamed([5]),
    ]

    answers = await answers_of(api.scoring.StreamScores(iter(requests)))

    errors = {each.error.application_id: each.error for each in answers if each.HasField("error")}
    assert errors["application-1"].code == "INVALID_ARGUMENT"
    assert errors["application-1"].message.endswith("request.resume: holds no readable text")
    assert errors["application-2"].code == "RESOURCE_EXHAUSTED"
    assert errors["application-2"].retry_delay.ToMilliseconds() == 500
    assert [key for key, each in errors.items() if each.HasField("retry_delay")] == ["application-2"]
    assert errors["application-3"].code == "DEADLINE_EXCEEDED"
    assert errors["application-4"].code == "INTERNAL"
    assert "private" not in errors["application-4"].message
    assert {each.error.message for each in answers if not each.error.application_id} >= {
        "the request breaks a limit: request.application_id: is required in a stream",
        "the request breaks a limit: request: is required",
    }
    assert [each.result.application_id for each in answers if each.HasField("result")] == ["application-5"]
    assert len(answers) == len(requests)


async def test_a_stream_holds_a_bounded_number_of_pairs_in_flight() -> None:
    scorer = GatedScorer()
    async with running_api(scorer) as api:
        call = api.scoring.StreamScores(iter(streamed(range(3 * MAX_IN_FLIGHT))))
        await scorer.until_entered(MAX_IN_FLIGHT)

        await asyncio.sleep(0.1)
        assert len(scorer.entered) == MAX_IN_FLIGHT

        scorer.gate.set()
        assert len(await answers_of(call)) == 3 * MAX_IN_FLIGHT


async def test_an_interactive_stream_is_answered_before_it_ends(api: Api) -> None:
    call = api.scoring.StreamScores()

    for request in streamed(range(3)):
        await call.write(request)
        assert (await call.read()).result.application_id == request.request.application_id

    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
