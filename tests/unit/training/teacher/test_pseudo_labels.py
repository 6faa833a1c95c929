"""The teacher must rank pairs that it never saw, and the rows must hold what people said."""

import random

import numpy as np

from training.figures.evaluation import rank_correlation
from training.pairs.dataset import LabelledPair, Pair
from training.teacher.model import Teacher
from training.teacher.pairing import pseudo_labelled

FIELDS = ("python kafka services", "nursing intensive care wards", "bread ovens dough", "tax ledgers audits")


def _pairs(num: int = 144) -> list[LabelledPair]:
    """Returns all pairings of three jobs and three resumes a field; a match has 90 points, else 20."""
    texts = [
        (f"{words} {at} position wanted here", f"worked {at} years {words}")
        for words in FIELDS
        for at in range(3)
    ]
    pairs = []
    for row, (job, _) in enumerate(texts):
        for other, (_, resume) in enumerate(texts):
            score = 90.0 if row // 3 == other // 3 else 20.0
            pairs.append(LabelledPair(Pair(len(pairs) + 1, resume, job, {}), score, "good"))
    return [pairs[at] for at in sorted(random.Random(3).sample(range(144), num))]


def test_the_teacher_ranks_pairs_it_never_saw() -> None:
    seen = _pairs(80)
    teacher = Teacher(seen, seed=1)
    places = teacher.vectors.places
    hidden = [pair for pair in _pairs() if pair.pair.row not in {one.pair.row for one in seen}]
    jobs = np.array([places[pair.pair.job_description] for pair in hidden])
    resumes = np.array([places[pair.pair.resume] for pair in hidden])

    judged = teacher.judge(jobs, resumes)

    labels = np.array([pair.score for pair in hidden])
    assert (rank_correlation(labels, judged) or 0) > 0.6
    assert judged[labels == 90].min() > judged[labels == 20].max()


def test_rows_hold_labels_and_the_whole_scale() -> None:
    pairs = _pairs(80)
    rows = list(pseudo_labelled(pairs, per_job=5, seed=2))
    label_of = {(pair.pair.job_description, pair.pair.resume): pair.score for pair in pairs}

    assert len(rows) == 12 * 5
    judged = [row for row in rows if (row["job_description"], row["resume"]) in label_of]
    assert len(judged) == 12 * 3  # 60 % of each job's
    for row in judged:
        label = label_of[row["job_description"], row["resume"]]
        assert abs(row["score"] - label) <= 50  # half of it is the label's
    scores = [row["score"] for row in rows]
    assert min(scores) < 20 < 80 < max(scores)
    assert rows == list(pseudo_labelled(pairs, per_job=5, seed=2))
    assert rows != list(pseudo_labelled(pairs, per_job=5, seed=3))


def test_resumes_are_cut_where_asked() -> None:
    assert {len(row["resume"]) for row in pseudo_labelled(_pairs(), 2, 0, max_characters=9)} == {9}


def test_resumes_are_cut_at_many_places_where_asked() -> None:
    rows = list(pseudo_labelled(_pairs(), 12, 0, max_characters=18, min_characters=9))

    assert {len(row["resume"]) for row in rows} == set(range(9, 19))
    assert rows == list(pseudo_labelled(_pairs(), 12, 0, max_characters=18, min_characters=9))
