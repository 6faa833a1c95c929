"""``python -m training.pseudo_labels.second_opinion --data FILE --output FILE``: teacher and student agree.

A teacher over word statistics and a language model that learned from it err on different pairs, so the mean
of their orders is better than either, and the model can learn from it once more (Furlanello et al. 2018,
"Born-again neural networks", whose students also learn from what came before them). ``FILE`` is what
``resume-scorer predict`` made of the teacher's pairs: ``score`` is the teacher's, ``predicted_score`` the
model's.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.contracts.errors import InvalidInput
from training.dataset import LabelledPair, bad_row, is_number, read_labelled_pairs
from training.pair_output import write_pairs_or_exit

_PREDICTED = "predicted_score"


def blended(pairs: Sequence[LabelledPair], share: float = 0.5) -> Iterator[dict[str, Any]]:
    """Yields the pairs with their scores dealt out anew, the lowest to the lowest mean rank.

    Args:
        pairs: whose rows hold ``predicted_score`` too.
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


def main() -> int:
    """Writes the pairs; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m training.pseudo_labels.second_opinion", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="what resume-scorer predict wrote")
    parser.add_argument("--output", type=Path, required=True, help="JSON lines file to write")
    parser.add_argument("--share", type=float, default=0.5, help="weight of the model, from 0 to 1 (0.5)")
    arguments = parser.parse_args()
    if not 0 <= arguments.share <= 1:
        parser.error("--share must be from 0 to 1")
    try:
        rows = list(blended(read_labelled_pairs(arguments.data), arguments.share))
    except InvalidInput as error:
        parser.exit(1, f"{arguments.data}: {error}\n")
    write_pairs_or_exit(parser, arguments.output, rows)
    print(f"{len(rows)} pairs written to {arguments.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
