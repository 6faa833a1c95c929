"""When both clients try again: hints of an overloaded server, servers that stop."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from services.client import Pair, RequestTooLarge, ServerOverloaded
from services.client.call_budget import JITTER, CallBudget
from services.contracts.errors import EngineClosed, EngineOverloaded
from services.contracts.scoring import PairRequest, PairScore
from tests.doubles.api import JOB, expected_score, running_api, score_request
from tests.doubles.client import open_client
from tests.doubles.scorer import FakeScorer, GatedScorer

both = pytest.mark.parametrize("kind", ["sync", "asyncio"])


class FullAtFirst(FakeScorer):
    """Refuses the first calls.

    Attributes:
        num_asked: calls that came.
    """

    def __init__(self, num_refused: int, retry_after_seconds: float) -> None:
        super().__init__()
        self._num_refused = num_refused
        self._retry_after_seconds = retry_after_seconds
        self.num_asked = 0

    async def score(self, request: PairRequest) -> PairScore:
        self.num_asked += 1
        if self.num_asked <= self._num_refused:
            raise EngineOverloaded(self._retry_after_seconds)
        return await super().score(request)


def both_of(first: str, second: str) -> str:
    return f"ipv4:{first},{second}"


@both
async def test_an_overloaded_server_is_asked_again(kind: str) -> None:
    scorer = FullAtFirst(num_refused=3, retry_after_seconds=0.02)
    async with running_api(scorer) as api, open_client(kind, api.addresses.grpc) as client:
        result = await client.score(JOB, score_request(1).resume)

    assert result.score == expected_score(score_request(1))
    assert scorer.num_asked == 4


@both
async def test_a_hint_beyond_the_deadline_is_told_at_once(kind: str) -> None:
    scorer = FullAtFirst(num_refused=9, retry_after_seconds=60)
    async with running_api(scorer) as api, open_client(kind, api.addresses.grpc) as client:
        with pytest.raises(ServerOverloaded) as refused:
            await client.score(JOB, "Ten years.", timeout_seconds=30)

    assert refused.value.retry_after_seconds == 60
    assert refused.value.reason == "ENGINE_OVERLOADED"
    assert scorer.num_asked == 1


async def test_the_pause_is_the_hint_and_some_jitter() -> None:
    async with running_api(FullAtFirst(9, retry_after_seconds=2.0)) as api:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await api.scoring.Score(score_request(1))

    pauses = [CallBudget(60).pause_before_retry(refused.value) for _ in range(50)]
    assert all(2.0 <= pause <= 2.0 * (1 + JITTER) for pause in pauses)
    assert len(set(pauses)) > 1
    with pytest.raises(ServerOverloaded):
        CallBudget(1.9).pause_before_retry(refused.value)


@both
async def test_a_message_that_the_server_finds_too_large_is_no_overload(kind: str) -> None:
    async with (
        running_api(FakeScorer(), grpc_max_message_bytes=1000) as api,
        open_client(kind, api.addresses.grpc) as client,
    ):
        with pytest.raises(RequestTooLarge):
            await client.score(JOB, "x" * 2000)


@both
async def test_a_ranking_that_is_too_large_is_not_sent_and_one_within_the_limit_is(kind: str) -> None:
    within = [(f"a-{number}", "x" * 20_000) for number in range(250)]
    beyond = [(f"a-{number}", "x" * 40_000) for number in range(250)]
    async with running_api(FakeScorer()) as api, open_client(kind, api.addresses.grpc) as client:
        results = await client.rank(JOB, within)
        with pytest.raises(RequestTooLarge, match="8388608 at most; rank the resumes in several calls"):
            await client.rank(JOB, beyond)

        assert len(results) == 250
        assert api.num_requests("rank", "invalid_input") == 0


@both
async def test_a_stream_ends_with_the_pair_that_is_too_large(kind: str) -> None:
    async def pairs() -> AsyncIterator[Pair]:
        yield Pair(JOB, "Ten years.", "first")
        yield Pair(JOB, "x" * 9_000_000, "second")

    answered = []

    async def read(client: Any) -> None:
        async for answer in client.stream(pairs()):
            answered.append(answer.result.application_id)

    async with running_api(FakeScorer()) as api, open_client(kind, api.addresses.grpc) as client:
        with pytest.raises(RequestTooLarge):
            await read(client)

    assert answered == ["first"]


@both
async def test_a_server_that_says_it_is_closed_is_left_for_the_other(kind: str) -> None:
    closed = FakeScorer()
    closed.failures = {"": EngineClosed("the engine is closed")}
    async with running_api(closed) as first, running_api(FakeScorer()) as second:
        target = both_of(first.addresses.grpc, second.addresses.grpc)
        async with open_client(kind, target) as client:
            results = [await client.score(JOB, score_request(n).resume) for n in range(6)]

        # The turn of the closed one came, and did no harm.
        assert first.num_requests("score", "closed") > 0
        assert second.num_requests("score", "ok") == 6
    assert [each.score for each in results] == [expected_score(score_request(n)) for n in range(6)]


@both
async def test_while_one_server_drains_calls_go_to_the_other_and_none_is_lost(kind: str) -> None:
    gated = GatedScorer()
    async with running_api(gated) as first, running_api(FakeScorer()) as second:
        target = both_of(first.addresses.grpc, second.addresses.grpc)
        async with open_client(kind, target) as client:
            gated.gate.set()
            while not (gated.scored and second.num_requests("score", "ok")):  # both are connected
                await client.score(JOB, "Ten years.")
            gated.gate.clear()
            num_before = len(gated.entered)
            held = [asyncio.create_task(client.score(JOB, score_request(n).resume)) for n in range(2)]
            await gated.until_entered(num_before + 1)

            first.stop.set()
            more = [await client.score(JOB, score_request(number).resume) for number in range(8)]
            gated.gate.set()
            results = await asyncio.gather(*held)

        assert gated.withdrawn == []
    for answers in (results, more):
        assert [each.score for each in answers] == [
            expected_score(score_request(number)) for number in range(len(answers))
        ]
