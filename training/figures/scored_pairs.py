"""Labels and distributions of one evaluation as arrays, in the order of the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.contracts.scoring import ScoreDistribution
from training.pairs.dataset import LabelledPair


@dataclass(frozen=True)
class ScoredPairs:
    """What a report is drawn from.

    Attributes:
        labels: at least one.
        distributions: one for each label, in the same order.
    """

    labels: Sequence[LabelledPair]
    distributions: Sequence[ScoreDistribution]

    @cached_property
    def wanted(self) -> NDArray[np.float64]:
        """Returns the judged scores, in points."""
        return np.array([label.score for label in self.labels])

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Returns the predicted scores, in points."""
        return np.array([distribution.mean for distribution in self.distributions])

    def is_category(self, category: str) -> NDArray[np.bool_]:
        """Returns which labels are of a category."""
        return np.array([label.category == category for label in self.labels])
