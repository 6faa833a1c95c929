import asyncio
import time

import pytest

from services.contracts.errors import DeadlineExpired, FieldViolation, InvalidInput
from services.contracts.scoring import PairRequest
from services.pb.scoring.v1.events_pb2 import InlineJob
from services.pb.scoring.v1.scoring_service_pb2 import ScoreRequest
from services.scoring_api.calls.pair_scoring import PairScoring, pair_of
from tests.doubles.scorer import FakeScorer, fake_score

PAIR = PairRequest("a-1", "A job.", "A resume.")
REQUEST = ScoreRequest(
    application_id="a-1", job=InlineJob(title="Nurse", description="Cares."), resume="Ten years."
)


class Counts:
    """Remembers what was counted."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, str]] = []
        self.seconds: list[tuple[str, float]] = []

    def count_request(self, entrypoint: str, outcome: str) -> None:
        self.counted.append((entrypoint, outcome))

    def observe_request(self, entrypoint: str, seconds: float) -> None:
        self.seconds.append((entrypoint, seconds))


def soon() -> float:
    return time.monotonic() + 5


async def test_a_scored_pair_is_counted_once() -> None:
    counts = Counts()

    score = await PairScoring(FakeScorer(), counts).score("score", PAIR, soon())

    assert score == fake_score(PAIR)
    assert counts.counted == [("score", "ok")]


async def test_a_pair_that_is_not_scored_by_its_deadline_has_expired() -> None:
    counts = Counts()

    with pytest.raises(DeadlineExpired):
        await PairScoring(FakeScorer(delay_seconds=5), counts).score("rank", PAIR, time.monotonic() + 0.02)

    assert counts.counted == [("rank", "deadline_expired")]


async def test_the_time_of_a_pair_is_noted_whatever_became_of_it() -> None:
    counts = Counts()

    await PairScoring(FakeScorer(delay_seconds=0.02), counts).score("score", PAIR, soon())
    with pytest.raises(DeadlineExpired):
        await PairScoring(FakeScorer(delay_seconds=5), counts).score("rank", PAIR, time.monotonic() + 0.02)

    assert [entrypoint for entrypoint, _ in counts.seconds] == ["score", "rank"]
    assert all(0.015 <= seconds < 2 for _, seconds in counts.seconds)


async def test_a_deadline_in_the_past_has_expired() -> None:
    with pytest.raises(DeadlineExpired):
        await PairScoring(FakeScorer(), Counts()).score("score", PAIR, time.monotonic() - 1)


async def test_a_withdrawn_pair_counts_as_cancelled() -> None:
    counts = Counts()
    scoring = asyncio.create_task(
        PairScoring(FakeScorer(delay_seconds=5), counts).score("score", PAIR, soon())
    )
    await asyncio.sleep(0.01)

    scoring.cancel()

    await asyncio.wait((scoring,))
    assert scoring.cancelled()
    assert counts.counted == [("score", "cancelled")]


async def test_violations_get_the_paths_of_the_callers_request() -> None:
    scorer = FakeScorer()
    scorer.failures["resume"] = InvalidInput(
        "empty_text", [FieldViolation("resume", "is empty"), FieldViolation("job.description", "is empty")]
    )

    with pytest.raises(InvalidInput) as caught:
        await PairScoring(scorer, Counts()).score("rank", PAIR, soon(), {"resume": "candidates[4].resume"})

    assert caught.value.kind == "empty_text"
    assert [each.field for each in caught.value.violations] == ["candidates[4].resume", "job.description"]


def test_a_refused_request_is_counted() -> None:
    counts = Counts()

    with pytest.raises(InvalidInput):
        PairScoring(FakeScorer(), counts).check("score", ScoreRequest())

    assert counts.counted == [("score", "invalid_input")]


def test_an_accepted_request_is_not_counted_yet() -> None:
    counts = Counts()

    PairScoring(FakeScorer(), counts).check("score", REQUEST)

    assert counts.counted == []


def test_further_violations_refuse_a_request_too() -> None:
    more = (FieldViolation("application_id", "is required in a stream"),)

    with pytest.raises(InvalidInput, match="is required in a stream"):
        PairScoring(FakeScorer(), Counts()).check("stream", REQUEST, more)


def test_a_request_becomes_a_pair() -> None:
    pair = pair_of(REQUEST, deadline=12.5)

    assert pair == PairRequest("a-1", "Nurse\n\nCares.", "Ten years.", 12.5)
