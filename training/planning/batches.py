"""What one pass trains on: a few resumes of one job, or a few prompts with the answer to write."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class JobGroup:
    """Some labelled resumes of one job; its job part is computed once for all of them.

    Attributes:
        prefix: token ids up to and including the job.
        suffixes: token ids of each resume and what stands behind it.
        labels: judged score of each resume, in points.
    """

    prefix: tuple[int, ...]
    suffixes: tuple[tuple[int, ...], ...]
    labels: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class AnswerBatch:
    """Some prompts with the answer that the model shall write.

    Attributes:
        prompts: token ids of each prompt, ending where the model's turn begins.
        answers: token ids of each answer, its end of turn included; the loss stands on these only.
    """

    prompts: tuple[tuple[int, ...], ...]
    answers: tuple[tuple[int, ...], ...]


TrainingBatch = JobGroup | AnswerBatch


def row_from_batch(batch: TrainingBatch) -> dict[str, Any]:
    """Returns a batch as a row of a ``datasets.Dataset``; every row has the same columns."""
    if isinstance(batch, JobGroup):
        return {"prefix": batch.prefix, "texts": batch.suffixes, "labels": batch.labels, "answers": ()}
    return {"prefix": (), "texts": batch.prompts, "labels": (), "answers": batch.answers}


def batch_from_row(row: dict[str, Any]) -> TrainingBatch:
    """Returns the batch that ``row_from_batch`` made a row of."""
    texts = tuple(map(tuple, row["texts"]))
    if row["labels"]:
        return JobGroup(tuple(row["prefix"]), texts, tuple(row["labels"]))
    return AnswerBatch(texts, tuple(map(tuple, row["answers"])))
