"""Blended scores must lie in the mean order of both opinions and be the scores that were there before."""

import pytest

from services.contracts.errors import InvalidInput
from training.pairs.dataset import LabelledPair, Pair
from training.teacher.second_opinion import blended


def _pairs(*opinions: tuple[float, float | None]) -> list[LabelledPair]:
    return [
        LabelledPair(Pair(row, f"resume {row}", "job", {"predicted_score": predicted}), score, "good")
        for row, (score, predicted) in enumerate(opinions, start=1)
    ]


def _scores(pairs: list[LabelledPair], share: float = 0.5) -> list[float]:
    return [row["score"] for row in blended(pairs, share)]


def test_scores_are_dealt_out_in_the_mean_order() -> None:
    # Ranks of the teacher 0 1 2 3, of the student 1 3 0 2: means 0.5, 2, 1, 2.5.
    assert _scores(_pairs((10, 51), (30, 53), (60, 50), (90, 52))) == [10, 60, 30, 90]


def test_the_share_moves_the_order_from_the_teacher_to_the_student() -> None:
    pairs = _pairs((10, 53), (30, 52), (60, 51), (90, 50))

    assert _scores(pairs, share=0) == [10, 30, 60, 90]
    assert _scores(pairs, share=1) == [90, 60, 30, 10]


def test_a_row_without_a_predicted_score_is_named() -> None:
    with pytest.raises(InvalidInput, match="row 2: predicted_score: must be a number"):
        list(blended(_pairs((10, 50), (30, None))))
