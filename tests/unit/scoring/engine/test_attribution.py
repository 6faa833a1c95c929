"""Which lines are blamed, over a scorer whose reasons are known."""

from collections.abc import AsyncGenerator

import pytest

from services.contracts.errors import EngineOverloaded, InvalidInput
from services.contracts.scoring import NUM_SCORES, PairRequest, PairScore, ScoreDistribution
from services.scoring.engine.attribution import MAX_PARTS, attribute_score, split_parts

RESUME = "Jane\n\nSkills\nPython and Kafka\n\nHobbies\nchess\n"


class KnownScorer:
    """Gives 60 points, 30 more for Kafka, 10 fewer for chess."""

    active_adapter_digest = "base"
    num_queued = 0

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def score(self, request: PairRequest) -> PairScore:
        self.seen.append(request.resume)
        if not request.resume.strip():
            raise InvalidInput("empty_text", [])
        points = 60 + 30 * ("Kafka" in request.resume) - 10 * ("chess" in request.resume)
        distribution = ScoreDistribution(tuple(float(at == points) for at in range(NUM_SCORES)))
        return PairScore("", distribution, "base", "", "model", "1", 1, 0)

    def explain(self, request: PairRequest, score: PairScore, max_tokens: int) -> AsyncGenerator[str, None]:
        raise NotImplementedError

    def seconds_since_progress(self) -> float:
        return 0.0


async def test_the_lines_that_moved_the_score_come_first() -> None:
    scorer, request = KnownScorer(), PairRequest("", "job", RESUME)
    found = await attribute_score(scorer, request, await scorer.score(request))
    assert [(part.first_line, part.last_line, part.points) for part in found] == [
        (3, 4, 30.0),
        (6, 7, -10.0),
        (1, 1, 0.0),
    ]


async def test_one_part_alone_cannot_be_left_out() -> None:
    scorer, request = KnownScorer(), PairRequest("", "job", "Kafka")
    assert await attribute_score(scorer, request, await scorer.score(request)) == []


async def test_a_refusal_is_told_as_it_came() -> None:
    class Full(KnownScorer):
        async def score(self, request: PairRequest) -> PairScore:
            if request.resume != RESUME:
                raise EngineOverloaded(1.0)
            return await super().score(request)

    scorer, request = Full(), PairRequest("", "job", RESUME)
    with pytest.raises(EngineOverloaded):
        await attribute_score(scorer, request, await scorer.score(request))


def test_parts_are_sections_or_lines_and_never_too_many() -> None:
    assert split_parts(RESUME) == [(1, 1), (3, 4), (6, 7)]
    assert split_parts("a\nb\n\nc") == [(1, 1), (2, 2), (4, 4)]
    many = split_parts("\n".join("x" * (number % 7 + 1) for number in range(80)))
    assert len(many) == MAX_PARTS
    assert (many[0][0], many[-1][1]) == (1, 80)
    assert all(left[1] + 1 == right[0] for left, right in zip(many, many[1:], strict=False))


def test_a_resume_of_many_lines_is_split_at_once() -> None:
    """The largest resume that the API takes: quadratic time would hold all its calls up for minutes."""
    assert len(split_parts("ab\n" * 80_000)) == MAX_PARTS
