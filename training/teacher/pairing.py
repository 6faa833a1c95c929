"""Chooses pairs to train a student on: judged ones, and unjudged ones from all over the teacher's scale."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from services.contracts.scoring import MAX_SCORE
from training.pairs.dataset import LabelledPair
from training.teacher.model import Teacher

# A teacher's scores crowd around the mean. What they say is an order; it is laid out over the scale again, a
# little more of it in the lower half, where most pairings of a job and a resume belong.
_LOWEST, _SPAN, _BEND = 8.0, 87.0, 1.3
_JUDGED_SHARE = 0.6


def pseudo_labelled(
    pairs: Sequence[LabelledPair],
    per_job: int,
    seed: int = 0,
    max_characters: int = 0,
    min_characters: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Yields rows of a data set, job after job.

    A judged pair's score is the mean of its label and of the teacher's: labels of single people are noisy.

    Args:
        pairs: judged; at least two jobs and two resumes.
        per_job: resumes for each job.
        max_characters: resumes are cut after so many; 0 leaves them whole.
        min_characters: each is cut somewhere from here to ``max_characters``, so that a student meets texts
            of all lengths; None cuts all of them at the same place.

    Raises:
        ValueError: the texts hold no two words in common.
    """
    teacher, chance = Teacher(pairs, seed), random.Random(seed)  # noqa: S311
    places, texts = teacher.vectors.places, list(teacher.vectors.places)
    jobs = np.array(sorted({places[pair.pair.job_description] for pair in pairs}))
    resumes = np.array(sorted({places[pair.pair.resume] for pair in pairs}))
    judged = {(places[p.pair.job_description], places[p.pair.resume]): p.score for p in pairs}
    table = teacher.judge(np.repeat(jobs, len(resumes)), np.tile(resumes, len(jobs)))
    ranks = np.argsort(np.argsort(table)) / max(1, len(table) - 1)
    laid_out = (_LOWEST + _SPAN * ranks**_BEND).reshape(len(jobs), len(resumes))
    for row, job in enumerate(jobs.tolist()):
        known = [at for at, resume in enumerate(resumes.tolist()) if (job, resume) in judged]
        chance.shuffle(known)
        others = [at for at, resume in enumerate(resumes.tolist()) if (job, resume) not in judged]
        known = known[: max(round(_JUDGED_SHARE * per_job), per_job - len(others))][:per_job]
        for at in known + _spread(others, laid_out[row].tolist(), per_job - len(known), chance):
            resume = int(resumes[at])
            score = float(laid_out[row, at])
            if (job, resume) in judged:
                score = (score + judged[job, resume]) / 2
            end = max_characters if min_characters is None else chance.randint(min_characters, max_characters)
            text = texts[resume]
            yield {
                "resume": text[:end] if end else text,
                "job_description": texts[job],
                "score": round(min(score, float(MAX_SCORE)), 1),
            }


def _spread(candidates: list[int], scores: list[float], wanted: int, chance: random.Random) -> list[int]:
    """Returns so many candidates, one from each equal part of their order by score."""
    ordered = sorted(candidates, key=lambda at: scores[at])
    wanted = min(wanted, len(ordered))
    edges = [part * len(ordered) // wanted for part in range(wanted + 1)] if wanted else []
    return [ordered[chance.randrange(low, high)] for low, high in zip(edges, edges[1:], strict=False)]
