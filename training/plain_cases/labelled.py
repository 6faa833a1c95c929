"""The learnable half of the plain cases as labelled pairs: what a careful reader would give each person.

A label lies in the range of its kind of person, the higher the more of the job's requirements the text shows
to be met. Every job meets its people in the same and in another length, and people of other occupations.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from services.contracts.scoring import category_of
from training.plain_cases.cases import LENGTHS, PEOPLE, Person, PlainCase, Requirement, Resume

#: Lowest and highest label of each kind of person, in points.
RANGES: dict[Person, tuple[float, float]] = {
    "full_match": (86, 98),
    "other_words": (82, 96),
    "overqualified": (78, 92),
    "junior": (45, 68),
    "adjacent": (25, 52),
    "unrelated": (0, 8),
    "keyword_list": (10, 25),
}
#: Somebody of another major group of the Standard Occupational Classification.
STRANGER = (0.0, 6.0)
_CREDIT = {"yes": 1.0, "partly": 0.5, "no": 0.0}
_NICE_WEIGHT = 0.4
_STRANGERS_A_JOB = 2


def coverage(requirements: Sequence[Requirement], resume: Resume) -> float:
    """Returns how much of what a job asks for a resume shows, 0 to 1; what is nice to have counts less."""
    weights = [1.0 if each.is_must else _NICE_WEIGHT for each in requirements]
    met = sum(weight * _CREDIT[verdict] for weight, verdict in zip(weights, resume.met, strict=True))
    return met / sum(weights)


def label_of(case: PlainCase, person: Person, resume: Resume) -> float:
    """Returns the label of a person for its own job, in points."""
    lowest, highest = RANGES[person]
    return lowest + (highest - lowest) * coverage(case.requirements, resume)


def labelled_rows(cases: Sequence[PlainCase], seed: int) -> Iterator[dict[str, Any]]:
    """Yields rows of ``resume``, ``job_description``, ``score`` and ``category``, those of a job together.

    Args:
        cases: of the learnable half; those of the other only judge.
        seed: of the strangers, and of which other length a person is met in.

    Raises:
        ValueError: a case is of the half that judges.
    """
    if any(case.split != "train" for case in cases):
        raise ValueError("the unseen cases only judge")
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    for case in cases:
        for length in LENGTHS:
            job = case.job[length]
            for person in PEOPLE:
                other = chance.choice([each for each in LENGTHS if each != length])
                for resume in (case.people[person][length], case.people[person][other]):
                    yield _row(job, resume.text, label_of(case, person, resume))
            strangers = [each for each in cases if each.soc[:2] != case.soc[:2]]
            for stranger in chance.sample(strangers, min(_STRANGERS_A_JOB, len(strangers))):
                text = stranger.people[chance.choice(PEOPLE[:4])][chance.choice(LENGTHS)].text
                yield _row(job, text, chance.uniform(*STRANGER))


def _row(job: str, resume: str, score: float) -> dict[str, Any]:
    return {
        "resume": resume,
        "job_description": job,
        "score": round(score, 1),
        "category": category_of(score),
    }
