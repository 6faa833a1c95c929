"""How a model does on the plain cases: whether a person would believe its scores."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np

from training.plain_cases.cases import LENGTHS, PEOPLE, Length, Person, PlainCase

#: Lowest score of "good" and of "fair": a full match belongs above the one, an unrelated one below the other.
GOOD, FAIR = 65.0, 45.0
#: Who should stand above whom.
CHAIN: tuple[Person, ...] = ("full_match", "junior", "adjacent", "unrelated")


@dataclass(frozen=True, slots=True)
class PlainPair:
    """One person in one length against the job in the same length.

    Attributes:
        case: name of the occupation's file.
        person: which of its people.
        length: of both texts.
        job_description: the job.
        resume: the resume.
    """

    case: str
    person: Person
    length: Length
    job_description: str = field(repr=False)
    resume: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PersonFigures:
    """How one kind of person is scored over all occupations and lengths.

    Attributes:
        person: which.
        num_pairs: pairs.
        mean: of the scores, in points.
        mean_by_length: the same by length of the texts.
        good_share: scored as good or better, 0 to 1.
        poor_share: scored as poor, 0 to 1.
    """

    person: Person
    num_pairs: int
    mean: float
    mean_by_length: dict[Length, float]
    good_share: float
    poor_share: float


@dataclass(frozen=True, slots=True)
class PlainFigures:
    """What the suite shows.

    Attributes:
        num_cases: occupations.
        people: one by one.
        ordered_share: of the chains full match > junior > adjacent > unrelated, one an occupation and length,
            those in which every step holds, 0 to 1.
        full_match_first_share: occupations and lengths in which no junior, adjacent, unrelated person or list
            of keywords is above the full match.
        length_change: mean absolute difference between two lengths of the same person and job, in points.
    """

    num_cases: int
    people: tuple[PersonFigures, ...]
    ordered_share: float
    full_match_first_share: float
    length_change: float


def plain_pairs(cases: Sequence[PlainCase]) -> list[PlainPair]:
    """Returns every person of every case in every length, those of one job side by side."""
    return [
        PlainPair(case.name, person, length, case.job[length], case.people[person][length].text)
        for case in cases
        for length in LENGTHS
        for person in PEOPLE
    ]


def measure(pairs: Sequence[PlainPair], scores: Sequence[float]) -> PlainFigures:
    """Returns the figures of scored pairs.

    Args:
        pairs: of ``plain_pairs``.
        scores: one for each, in points.
    """
    found = {(pair.case, pair.person, pair.length): score for pair, score in zip(pairs, scores, strict=True)}
    cases = list(dict.fromkeys(pair.case for pair in pairs))
    places = [(case, length) for case in cases for length in LENGTHS]
    others: tuple[Person, ...] = ("junior", "adjacent", "unrelated", "keyword_list")
    return PlainFigures(
        num_cases=len(cases),
        people=tuple(_person_figures(person, pairs, scores) for person in PEOPLE),
        ordered_share=_share(
            all(found[case, above, length] > found[case, below, length] for above, below in pairwise(CHAIN))
            for case, length in places
        ),
        full_match_first_share=_share(
            found[case, "full_match", length] > max(found[case, other, length] for other in others)
            for case, length in places
        ),
        length_change=float(
            np.mean(
                [
                    abs(found[case, person, one] - found[case, person, other])
                    for case in cases
                    for person in PEOPLE
                    for one, other in combinations(LENGTHS, 2)
                ]
            )
        ),
    )


def _person_figures(person: Person, pairs: Sequence[PlainPair], scores: Sequence[float]) -> PersonFigures:
    mine = [(pair.length, score) for pair, score in zip(pairs, scores, strict=True) if pair.person == person]
    given = np.array([score for _, score in mine])
    return PersonFigures(
        person=person,
        num_pairs=len(mine),
        mean=float(given.mean()),
        mean_by_length={
            length: float(np.mean([score for each, score in mine if each == length])) for length in LENGTHS
        },
        good_share=float((given >= GOOD).mean()),
        poor_share=float((given < FAIR).mean()),
    )


def _share(answers: Iterable[bool]) -> float:
    return float(np.mean(list(answers)))
