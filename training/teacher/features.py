"""What a teacher sees of a pair: how alike the words are, and what kind of job meets what kind of resume."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

Floats = NDArray[np.float64]
_FINE, _COARSE = 100, 30


@dataclass(frozen=True, slots=True)
class TextVectors:
    """Vectors of length 1 for every text.

    Attributes:
        similarities: cosine of each two texts, by kind of words; shape ``(kinds, texts, texts)``.
        fine: latent semantic analysis of many dimensions, shape ``(texts, dimensions)``.
        coarse: the same of few: the field of a text rather than its details.
        places: each text's row.
    """

    similarities: Floats
    fine: Floats
    coarse: Floats
    places: dict[str, int]

    def pair_features(self, jobs: NDArray[np.int64], resumes: NDArray[np.int64]) -> Floats:
        """Returns one row a pair: similarities, fields, and the product of the fields.

        Args:
            jobs: rows of the jobs, shape ``(pairs,)``.
            resumes: rows of the resumes, the same shape.
        """
        alike = [kind[jobs, resumes] for kind in self.similarities]
        alike += [(vectors[jobs] * vectors[resumes]).sum(1) for vectors in (self.fine, self.coarse)]
        job_field, resume_field = self.coarse[jobs], self.coarse[resumes]
        return np.hstack([np.stack(alike, 1), job_field, resume_field, job_field * resume_field])


def vectors_of(texts: Sequence[str], seed: int) -> TextVectors:
    """Returns the vectors of distinct texts.

    Deerwester et al. 1990, "Indexing by Latent Semantic Analysis", over tf-idf with the logarithm of the term
    frequency.

    Args:
        texts: distinct; at least three.

    Raises:
        ValueError: the texts hold no two words in common.
    """
    kinds = [
        TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=2, ngram_range=(1, longest))
        for longest in (1, 2)
    ]
    tables = [kind.fit_transform(texts) for kind in kinds]
    room = min(tables[0].shape) - 1
    fine, coarse = (
        _unit(TruncatedSVD(min(size, room), random_state=seed).fit_transform(tables[0]))
        for size in (_FINE, _COARSE)
    )
    return TextVectors(
        np.stack([(table @ table.T).toarray() for table in tables]),
        fine,
        coarse,
        {text: place for place, text in enumerate(texts)},
    )


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9))
