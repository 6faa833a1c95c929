"""When both clients send pairs of a stream again: each is answered once, and none is lost."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from services.client import ClientOptions, Pair
from services.client.stream_flow import MAX_UNANSWERED
from services.contracts.errors import EngineOverloaded
from services.contracts.scoring import PairRequest, PairScore
from tests.doubles.api import JOB, expected_score, running_api, score_request
from tests.doubles.client import open_client
from tests.doubles.scorer import FakeScorer

both = pytest.mark.parametrize("kind", ["sync", "asyncio"])
PATIENCE_SECONDS = 30.0


class OftenFull(FakeScorer):
    """Refuses pairs.

    Args:
        num_refused: how often each id is refused before it is scored.
        retry_after_seconds: what it says.

    Attributes:
        asked: how often each id came.
    """

    def __init__(self, num_refused: int, retry_after_seconds: float = 0.002) -> None:
        super().__init__()
        self._num_refused = num_refused
        self._retry_after_seconds = retry_after_seconds
        self.asked: Counter[str] = Counter()

    async def score(self, request: PairRequest) -> PairScore:
        self.asked[request.request_id] += 1
        if self.asked[request.request_id] <= self._num_refused:
            raise EngineOverloaded(self._retry_after_seconds)
        return await super().score(request)


def pair(number: int) -> Pair:
    return Pair(JOB, score_request(number).resume, score_request(number).application_id)


async def pairs_of(numbers: Iterable[int]) -> AsyncIterator[Pair]:
    for number in numbers:
        yield pair(number)


async def answers_of(stream: Any) -> list[Any]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [answer async for answer in stream]


@both
async def test_every_refused_pair_of_a_stream_is_sent_again_and_answered_once(kind: str) -> None:
    scorer = OftenFull(num_refused=2)
    async with running_api(scorer) as api, open_client(kind, api.addresses.grpc) as client:
        answers = await answers_of(client.stream(pairs_of(range(300))))

    assert len(answers) == 300
    assert {each.result.application_id: each.result.score for each in answers} == {
        f"application-{number}": expected_score(score_request(number)) for number in range(300)
    }
    assert set(scorer.asked.values()) == {3}


@both
async def test_a_caller_over_its_rate_gets_every_answer_in_time(kind: str) -> None:
    limits = {"grpc_rate_per_second": 400.0, "grpc_rate_burst": 10}
    async with running_api(FakeScorer(), **limits) as api, open_client(kind, api.addresses.grpc) as client:
        answers = await answers_of(client.stream(pairs_of(range(150))))

    assert sorted(each.result.application_id for each in answers) == sorted(
        f"application-{number}" for number in range(150)
    )


@both
async def test_a_pair_that_is_always_refused_is_answered_with_its_last_refusal(kind: str) -> None:
    scorer = OftenFull(num_refused=99)
    options = ClientOptions(is_plaintext=True, max_attempts=4)
    async with running_api(scorer) as api, open_client(kind, api.addresses.grpc, options) as client:
        answers = await answers_of(client.stream(pairs_of(range(20))))

    assert [each.error.code for each in answers] == ["RESOURCE_EXHAUSTED"] * 20
    assert len({each.error.application_id for each in answers}) == 20
    assert set(scorer.asked.values()) == {4}


@both
async def test_a_hint_beyond_the_streams_deadline_is_told_at_once(kind: str) -> None:
    scorer = OftenFull(num_refused=1, retry_after_seconds=600)
    async with running_api(scorer) as api, open_client(kind, api.addresses.grpc) as client:
        answers = await answers_of(client.stream(pairs_of(range(3)), timeout_seconds=300))

    assert [each.error.retry_delay.seconds for each in answers] == [600] * 3


@both
async def test_a_source_that_waits_for_each_answer_is_not_a_deadlock(kind: str) -> None:
    is_answered = asyncio.Event()

    async def one_by_one() -> AsyncIterator[Pair]:
        for number in range(5):
            is_answered.clear()
            yield pair(number)
            await is_answered.wait()

    answers = []
    scorer = OftenFull(num_refused=2)
    async with running_api(scorer) as api, open_client(kind, api.addresses.grpc) as client:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for answer in client.stream(one_by_one()):
                answers.append(answer.result.application_id)
                is_answered.set()

    assert answers == [f"application-{number}" for number in range(5)]


@both
async def test_a_refused_pair_and_a_second_one_of_its_id_both_get_their_own_score(kind: str) -> None:
    async def same_id() -> AsyncIterator[Pair]:
        for number in range(2):
            yield Pair(JOB, score_request(number).resume, "same")

    async with running_api(OftenFull(num_refused=1)) as api, open_client(kind, api.addresses.grpc) as client:
        answers = await answers_of(client.stream(same_id()))

    assert [each.result.score for each in answers] == [expected_score(score_request(n)) for n in range(2)]


@both
async def test_a_source_without_end_is_read_no_further_than_the_bound_while_the_server_is_full(
    kind: str,
) -> None:
    num_read = 0

    async def endless() -> AsyncIterator[Pair]:
        nonlocal num_read
        while True:
            yield pair(num_read)
            num_read += 1

    scorer = OftenFull(num_refused=99, retry_after_seconds=0.05)
    options = ClientOptions(is_plaintext=True, max_attempts=4)
    async with running_api(scorer) as api, open_client(kind, api.addresses.grpc, options) as client:
        answers = client.stream(endless())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await anext(answers)
        num_at_first_answer = num_read
        await answers.aclose()

    assert num_at_first_answer <= MAX_UNANSWERED + 2


async def test_a_stream_that_is_left_while_pairs_wait_ends_its_thread() -> None:
    scorer = OftenFull(num_refused=99, retry_after_seconds=600)
    scorer.asked["application-0"] = 99
    async with running_api(scorer) as api, open_client("sync", api.addresses.grpc) as client:
        answers = client.stream(pairs_of(range(9)))
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await anext(answers)).result.application_id == "application-0"
            await answers.aclose()
            while any(thread.name == "scoring-stream-source" for thread in threading.enumerate()):
                await asyncio.sleep(0.01)
