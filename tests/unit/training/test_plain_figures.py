"""The figures of the plain cases, on scores that a hand gave."""

import pytest

from training.plain_cases.cases import LENGTHS, PEOPLE, Person, read_cases
from training.plain_cases.figures import PlainFigures, PlainPair, measure, plain_pairs

BELIEVED: dict[Person, float] = {
    "full_match": 90,
    "other_words": 85,
    "overqualified": 80,
    "junior": 60,
    "adjacent": 50,
    "unrelated": 5,
    "keyword_list": 20,
}


@pytest.fixture(scope="module")
def pairs() -> list[PlainPair]:
    return plain_pairs(read_cases("unseen")[:3])


def measured(pairs: list[PlainPair], **changes: float) -> PlainFigures:
    points = BELIEVED | changes
    return measure(pairs, [points[pair.person] for pair in pairs])


def test_every_person_stands_in_every_length_beside_the_others_of_its_job(pairs: list[PlainPair]) -> None:
    assert len(pairs) == 3 * len(LENGTHS) * len(PEOPLE)
    assert len({pair.job_description for pair in pairs[: len(PEOPLE)]}) == 1
    assert [pair.person for pair in pairs[: len(PEOPLE)]] == list(PEOPLE)


def test_scores_that_a_person_believes(pairs: list[PlainPair]) -> None:
    figures = measured(pairs)

    assert (figures.num_cases, figures.ordered_share, figures.full_match_first_share) == (3, 1.0, 1.0)
    assert figures.length_change == 0.0
    full, unrelated = figures.people[0], figures.people[PEOPLE.index("unrelated")]
    assert (full.mean, full.good_share, full.poor_share, full.num_pairs) == (90.0, 1.0, 0.0, 9)
    assert (unrelated.mean, unrelated.good_share, unrelated.poor_share) == (5.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("changes", "ordered", "first"),
    [
        ({"junior": 95.0}, 0.0, 0.0),
        ({"keyword_list": 91.0}, 1.0, 0.0),
        ({"adjacent": 60.0}, 0.0, 1.0),  # level with the junior is not below him
    ],
)
def test_an_order_that_nobody_believes_shows(
    pairs: list[PlainPair], changes: dict[str, float], ordered: float, first: float
) -> None:
    figures = measured(pairs, **changes)

    assert (figures.ordered_share, figures.full_match_first_share) == (ordered, first)


def test_what_length_does_shows(pairs: list[PlainPair]) -> None:
    shift = {"short": 0.0, "medium": 3.0, "long": 9.0}
    figures = measure(pairs, [BELIEVED[pair.person] + shift[pair.length] for pair in pairs])

    assert figures.length_change == pytest.approx((3 + 6 + 9) / 3)
    assert figures.people[0].mean_by_length == {"short": 90.0, "medium": 93.0, "long": 99.0}
