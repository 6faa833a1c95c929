"""Labels of the plain cases: believable, and never of those that judge."""

import statistics

import pytest

from services.contracts.scoring import category_of
from training.plain_cases.cases import LENGTHS, PEOPLE, read_cases
from training.plain_cases.labelled import RANGES, label_of, labelled_rows


def test_people_are_labelled_in_the_order_in_which_a_reader_would_put_them() -> None:
    cases = read_cases("train")
    mean = {
        person: statistics.mean(
            label_of(case, person, case.people[person][length]) for case in cases for length in LENGTHS
        )
        for person in PEOPLE
    }

    assert mean["full_match"] > mean["other_words"] > mean["overqualified"] > mean["junior"]
    assert mean["junior"] > mean["adjacent"] > mean["keyword_list"] > mean["unrelated"]
    assert mean["full_match"] > 90
    for case in cases:
        for person in PEOPLE:
            lowest, highest = RANGES[person]
            assert all(
                lowest <= label_of(case, person, case.people[person][length]) <= highest for length in LENGTHS
            )


def test_every_job_has_its_people_in_two_lengths_and_strangers() -> None:
    cases = read_cases("train")[:4]
    rows = list(labelled_rows(cases, seed=1))

    assert len(rows) == len(cases) * len(LENGTHS) * (2 * len(PEOPLE) + 2)
    assert all(row["category"] == category_of(row["score"]) for row in rows)
    assert rows == list(labelled_rows(cases, seed=1))
    assert rows != list(labelled_rows(cases, seed=2))


def test_what_judges_is_not_learned() -> None:
    with pytest.raises(ValueError, match="only judge"):
        next(labelled_rows(read_cases("unseen")[:1], seed=0))
