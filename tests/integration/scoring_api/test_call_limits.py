"""Whoever opens calls and keeps them open shuts nobody else out."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.contracts.scoring import PairRequest, PairScore
from services.pb.scoring.v1.scoring_service_pb2 import ExplainRequest, StreamScoresRequest
from services.pb.scoring.v1.scoring_service_pb2_grpc import ScoringServiceStub
from tests.doubles.api import Api, detail_of, failure_of, running_api, score_request, token_of, write_tokens
from tests.doubles.scorer import FakeScorer, GatedScorer
from tests.doubles.waiting import until

SCORE = "/scoring.v1.ScoringService/Score"
STREAM = "/scoring.v1.ScoringService/StreamScores"
CHECK = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"


def silent_call(api: Api, method: str, metadata: Any = ()) -> Any:
    """Opens a call and sends no message."""
    return api.channel.stream_stream(method)(metadata=metadata)


def refusals(api: Api, reason: str) -> Callable[[], float | None]:
    return lambda: api.registry.get_sample_value("scoring_refused_calls_total", {"reason": reason})


async def test_one_client_without_a_token_watches_health_and_shuts_nobody_out(tmp_path: Path) -> None:
    tokens = write_tokens(tmp_path / "tokens.toml", {"ats": ("score",)})
    async with running_api(FakeScorer(), grpc_tokens_file=str(tokens), grpc_max_concurrent_calls=8) as api:
        health = health_pb2_grpc.HealthStub(api.channel)
        watches = [health.Watch(health_pb2.HealthCheckRequest()) for _ in range(300)]
        told = await asyncio.gather(*(watch.read() for watch in watches), return_exceptions=True)

        await api.scoring.Score(score_request(1), metadata=token_of("ats"))
        checked = await health.Check(health_pb2.HealthCheckRequest())

        refused = [each for each in told if isinstance(each, grpc.aio.AioRpcError)]
        assert len(told) - len(refused) == 32
        assert {each.code() for each in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert detail_of(refused[0], ErrorInfo).reason == "TOO_MANY_CALLS"
        assert detail_of(refused[0], RetryInfo).retry_delay.ToMilliseconds() > 0
        assert checked.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_watch_that_ends_makes_room_for_the_next() -> None:
    async with running_api(FakeScorer(), grpc_max_watches_per_caller=1) as api:
        health = health_pb2_grpc.HealthStub(api.channel)
        first = health.Watch(health_pb2.HealthCheckRequest())
        await first.read()
        assert isinstance(await told_by_watch(api), grpc.aio.AioRpcError)

        first.cancel()

        async with asyncio.timeout(3):
            while isinstance(await told_by_watch(api), grpc.aio.AioRpcError):
                await asyncio.sleep(0.01)


async def told_by_watch(api: Api) -> Any:
    call = health_pb2_grpc.HealthStub(api.channel).Watch(health_pb2.HealthCheckRequest())
    try:
        return await call.read()
    except grpc.aio.AioRpcError as error:
        return error


async def test_a_caller_with_too_many_calls_leaves_room_for_others(tmp_path: Path) -> None:
    tokens = write_tokens(tmp_path / "tokens.toml", {"greedy": ("score",), "modest": ("score",)})
    scorer = GatedScorer()
    async with running_api(
        scorer, grpc_tokens_file=str(tokens), grpc_max_concurrent_calls_per_caller=3
    ) as api:
        streams = [silent_call(api, STREAM, token_of("greedy")) for _ in range(2)]
        await asyncio.gather(*(stream.wait_for_connection() for stream in streams))
        waiting = api.scoring.Score(score_request(1), metadata=token_of("greedy"))
        await scorer.until_entered(1)

        async with asyncio.timeout(3):
            failure = await failure_of(api.scoring.Score(score_request(2), metadata=token_of("greedy")))
        modest = api.scoring.Score(score_request(3), metadata=token_of("modest"))
        await scorer.until_entered(2)
        scorer.gate.set()

        assert (await modest).result.application_id == "application-3"
        assert (await waiting).result.application_id == "application-1"
        assert failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert detail_of(failure, ErrorInfo).reason == "TOO_MANY_CALLS"
        assert refusals(api, "too_many_calls")() == 1
        for stream in streams:
            stream.cancel()


@pytest.mark.parametrize("method", [SCORE, CHECK, WATCH])
async def test_a_call_whose_message_never_comes_is_ended(method: str) -> None:
    async with running_api(FakeScorer(), grpc_default_deadline_seconds=0.1) as api:
        failure = await failure_of(silent_call(api, method).read())

        assert failure.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert refusals(api, "deadline_expired")() == 1


async def test_a_stream_that_sends_nothing_is_ended() -> None:
    async with running_api(FakeScorer(), grpc_idle_stream_seconds=0.1) as api:
        stream = api.scoring.StreamScores()
        await stream.write(StreamScoresRequest(request=score_request(1)))
        answer = await stream.read()

        failure = await failure_of(stream.read())

        assert answer.result.application_id == "application-1"
        assert failure.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert detail_of(failure, ErrorInfo).reason == "STREAM_IDLE"
        assert refusals(api, "stream_idle")() == 1


async def test_a_stream_that_waits_for_its_answers_is_not_idle() -> None:
    scorer = GatedScorer()
    async with running_api(scorer, grpc_idle_stream_seconds=0.05) as api:
        stream = api.scoring.StreamScores()
        await stream.write(StreamScoresRequest(request=score_request(1)))
        await scorer.until_entered(1)
        await asyncio.sleep(0.3)
        scorer.gate.set()

        assert (await stream.read()).result.application_id == "application-1"


async def test_a_stream_whose_answers_are_not_taken_is_ended() -> None:
    narrow = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 4096)]
    async with (
        running_api(FakeScorer(), grpc_idle_stream_seconds=0.2) as api,
        grpc.aio.insecure_channel(api.addresses.grpc, options=narrow) as channel,
    ):
        stream = ScoringServiceStub(channel).StreamScores()  # type: ignore[no-untyped-call]
        for number in range(200):
            await stream.write(StreamScoresRequest(request=score_request(number)))

        await until(lambda: refusals(api, "stream_idle")() == 1)


class SlowToExplain(FakeScorer):
    """Writes nothing until the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def explain(
        self, request: PairRequest, score: PairScore, max_tokens: int
    ) -> AsyncGenerator[str, None]:
        await self.gate.wait()
        yield "Five years of surgery."


async def test_explanations_have_few_places_and_scores_need_none_of_them() -> None:
    scorer = SlowToExplain()
    async with running_api(scorer) as api:
        first = api.scoring.Explain(ExplainRequest(request=score_request(1)))
        await first.read()

        more = [api.scoring.Explain(ExplainRequest(request=score_request(number))) for number in range(2, 9)]
        refused = [await failure_of(call.read()) for call in more]
        scores = await asyncio.gather(*(api.scoring.Score(score_request(number)) for number in range(20)))
        scorer.gate.set()
        rest = [await first.read() for _ in range(2)]

        assert {detail_of(each, ErrorInfo).reason for each in refused} == {"TOO_MANY_CALLS"}
        assert detail_of(refused[0], RetryInfo).retry_delay.ToMilliseconds() > 0
        assert len(scores) == 20
        assert rest[-1].text == "Five years of surgery."


async def test_an_explanation_is_charged_for_all_its_passes() -> None:
    lines = "\n".join(f"Line {number}" for number in range(20))
    request = ExplainRequest(request=score_request(1, lines))
    async with running_api(FakeScorer(), grpc_rate_per_second=0.001, grpc_rate_burst=30) as api:
        await api.scoring.Explain(request).read()  # 21 of 30
        for number in range(9):
            await api.scoring.Score(score_request(number))

        failure = await failure_of(api.scoring.Score(score_request(10)))

        assert detail_of(failure, ErrorInfo).reason == "RATE_EXCEEDED"
