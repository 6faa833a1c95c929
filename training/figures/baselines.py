"""Two baselines that any model must beat, on the very pairs that the model is evaluated on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from training.figures.evaluation import Evaluation, rank_correlation, roc_auc, within_job_auc
from training.figures.scored_pairs import ScoredPairs
from training.pairs.dataset import LabelledPair

# One-letter words too: "C" and "R" are skills.
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Contender:
    """One row of the comparison; None where a figure has no meaning for it or the set does not determine it.

    Attributes:
        name: for a person.
        roc_auc, within_job_auc, spearman: as in ``Evaluation``.
        mae, rmse: as in ``Evaluation``, in points.
    """

    name: str
    roc_auc: float | None = None
    within_job_auc: float | None = None
    spearman: float | None = None
    mae: float | None = None
    rmse: float | None = None


def compare(pairs: ScoredPairs, figures: Evaluation, similarities: NDArray[np.float64]) -> list[Contender]:
    """Returns the model and the baselines, the model first.

    Args:
        similarities: of ``tfidf_similarities``.
    """
    constant = np.full_like(pairs.wanted, pairs.wanted.mean())
    return [
        Contender(
            "this model",
            figures.roc_auc,
            figures.within_job_auc,
            figures.spearman,
            figures.mae,
            figures.rmse,
        ),
        # A cosine is no number of points: it orders pairs, and has no error.
        Contender(
            "TF-IDF cosine",
            roc_auc(pairs.wanted, similarities),
            within_job_auc(pairs.labels, similarities)[0],
            rank_correlation(pairs.wanted, similarities),
        ),
        Contender(
            "always the mean label",
            mae=float(mean_absolute_error(pairs.wanted, constant)),
            rmse=float(root_mean_squared_error(pairs.wanted, constant)),
        ),
    ]


def tfidf_similarities(labels: Sequence[LabelledPair]) -> NDArray[np.float64]:
    """Returns the cosine of each resume and its job, 0 to 1, with word weights of these texts alone.

    Term frequency times inverse document frequency, Spaerck Jones (1972), as scikit-learn computes it, with
    the logarithm of the term frequency. Texts without a single word are similar to nothing.

    Args:
        labels: at least one; their scores are not looked at.
    """
    texts = [text for label in labels for text in (label.pair.job_description, label.pair.resume)]
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    try:
        vectors = TfidfVectorizer(
            sublinear_tf=True, tokenizer=_WORD.findall, token_pattern=None
        ).fit_transform(places)
    except ValueError:  # no text holds a word
        return np.zeros(len(labels))
    jobs = vectors[[places[label.pair.job_description] for label in labels]]
    resumes = vectors[[places[label.pair.resume] for label in labels]]
    return np.asarray(jobs.multiply(resumes).sum(axis=1), dtype=np.float64).ravel()  # rows have length 1
