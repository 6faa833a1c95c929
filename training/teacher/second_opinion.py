"""Teacher and student agree.

A teacher over word statistics and a language model that learned from it err on different pairs, so the mean
of their orders is better than either, and the model can learn from it once more (Furlanello et al. 2018,
"Born-again neural networks", whose students also learn from what came before them).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.pairs.dataset import LabelledPair, bad_row, is_number

_PREDICTED = "predicted_score"


def blended(pairs: Sequence[LabelledPair], share: float = 0.5) -> Iterator[dict[str, Any]]:
    """Yields the pairs with their scores dealt out anew, the lowest to the lowest mean rank.

    Args:
        pairs: the teacher's scores; their rows hold ``predicted_score`` too, which is the model's.
        share: weight of ``predicted_score`` in the mean of the ranks, from 0 to 1.

    Raises:
        InvalidInput: a row has no such number; names the row.
    """
    scores = np.array([pair.score for pair in pairs])
    predicted = np.array([_predicted_score(pair) for pair in pairs])
    mean_ranks = (1 - share) * _ranks(scores) + share * _ranks(predicted)
    for pair, score in zip(pairs, np.sort(scores)[_ranks(mean_ranks)].tolist(), strict=True):
        texts = {"resume": pair.pair.resume, "job_description": pair.pair.job_description}
        yield {**texts, "score": score}


def _predicted_score(pair: LabelledPair) -> float:
    value = pair.pair.fields.get(_PREDICTED)
    if not is_number(value):
        raise bad_row(pair.pair.row, _PREDICTED, "must be a number")
    return float(value)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable")
