"""Learns from judged pairs and judges all others."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.preprocessing import StandardScaler

from training.pairs.dataset import LabelledPair
from training.teacher.features import Floats, TextVectors, vectors_of

Places = NDArray[np.int64]
_NUM_TREES = 400
# Of the kernel regression: how much it distrusts a label, and how much a pair counts for others that share
# only the kind of job or only the kind of resume.
_RIDGE = 2.0
_ONE_SIDED = 0.3


class Teacher:
    """The mean of two regressions: extremely randomised trees, and a kernel over job and resume together.

    Trees (Geurts, Ernst and Wehenkel 2006) over the features of a pair; kernel ridge regression whose kernel
    of two pairs is the product of their jobs' and their resumes' similarity (the Kronecker kernel for pairs,
    Basilico and Hofmann 2004), beside a Gaussian one of their features.

    Args:
        pairs: judged; at least two jobs and two resumes.

    Raises:
        ValueError: the texts hold no two words in common.
    """

    def __init__(self, pairs: Sequence[LabelledPair], seed: int = 0) -> None:
        self._pairs = pairs
        texts = dict.fromkeys(text for p in pairs for text in (p.pair.job_description, p.pair.resume))
        self.vectors: TextVectors = vectors_of(list(texts), seed)
        self._jobs = self._places([pair.pair.job_description for pair in pairs])
        self._resumes = self._places([pair.pair.resume for pair in pairs])
        labels = np.array([pair.score for pair in pairs], dtype=np.float64)
        features = self.vectors.pair_features(self._jobs, self._resumes)
        self._trees = ExtraTreesRegressor(
            _NUM_TREES, min_samples_leaf=3, max_features=0.5, random_state=seed, n_jobs=-1
        ).fit(features, labels)
        self._scaler = StandardScaler().fit(features)
        self._scaled = self._scaler.transform(features)
        self._mean = float(labels.mean())
        kernel = self._kernel(self._scaled, self._jobs, self._resumes)
        self._weights = np.linalg.solve(kernel + _RIDGE * np.eye(len(labels)), labels - self._mean)

    def judge(self, jobs: Places, resumes: Places) -> Floats:
        """Returns the teacher's scores, in points; they lie closer together than people's.

        Args:
            jobs: rows of ``vectors``, shape ``(pairs,)``.
        """
        features = self.vectors.pair_features(jobs, resumes)
        by_kernel = self._kernel(self._scaler.transform(features), jobs, resumes) @ self._weights + self._mean
        return np.asarray((self._trees.predict(features) + by_kernel) / 2, dtype=np.float64)

    def _places(self, texts: Sequence[str]) -> Places:
        return np.array([self.vectors.places[text] for text in texts])

    def _kernel(self, scaled: Floats, jobs: Places, resumes: Places) -> Floats:
        """Returns the similarity of pairs with the judged ones, shape ``(pairs, judged)``."""
        fine = self.vectors.fine
        of_jobs, of_resumes = fine[jobs] @ fine[self._jobs].T, fine[resumes] @ fine[self._resumes].T
        distances = (scaled**2).sum(1)[:, None] + (self._scaled**2).sum(1)[None] - 2 * scaled @ self._scaled.T
        alike = np.exp(-distances / (2 * scaled.shape[1]))
        return np.asarray(of_jobs * of_resumes + alike + _ONE_SIDED * (of_jobs + of_resumes))
