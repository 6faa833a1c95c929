"""What a pair costs in tokens, passes and multiplications: arithmetic that docs/performance.md explains."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.scoring.reading.score_scale import NUM_TREE_NODES


@dataclass(frozen=True, slots=True)
class Pair:
    """The lengths of a typical pair, in tokens.

    Attributes:
        prefix: instruction and job.
        suffix: resume and question.
    """

    prefix: float
    suffix: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a machine takes for a model.

    Attributes:
        seconds_per_token: of a pass.
        seconds_per_pass: of any pass, however small.
    """

    seconds_per_token: float
    seconds_per_pass: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One run.

    Attributes:
        num_tokens: computed, padding included.
        num_passes: batches, and job prefixes that were computed.
        seconds: that it took.
    """

    num_tokens: float
    num_passes: float
    seconds: float


def tokens_per_pair(pair: Pair, resumes_per_job: float, padding_share: float = 0.0) -> float:
    """Returns the tokens computed for a pair, its part of the job's prefix included.

    Args:
        pair: its lengths.
        resumes_per_job: that are scored while the job's prefix is in the cache.
        padding_share: of the computed suffix tokens, 0 to below 1.
    """
    return pair.prefix / resumes_per_job + pair.suffix / (1 - padding_share) + NUM_TREE_NODES


def passes_per_pair(pair: Pair, resumes_per_job: float, batch_tokens: float) -> float:
    """Returns how many passes there are for a pair: its part of a batch and of its job's prefix."""
    pairs_per_batch = max(1.0, batch_tokens // (pair.suffix + NUM_TREE_NODES))
    return 1 / pairs_per_batch + 1 / resumes_per_job


def pairs_per_second(cost: Cost, pair: Pair, resumes_per_job: float, batch_tokens: float) -> float:
    """Returns the speed that the model predicts."""
    tokens = tokens_per_pair(pair, resumes_per_job)
    passes = passes_per_pair(pair, resumes_per_job, batch_tokens)
    return 1 / (tokens * cost.seconds_per_token + passes * cost.seconds_per_pass)


def fit(runs: Sequence[Measured]) -> Cost:
    """Returns the cost that explains the runs best, by least squares of the relative error.

    Args:
        runs: at least two, of different shape.
    """
    rows = np.array([[run.num_tokens, run.num_passes] for run in runs]) / [[run.seconds] for run in runs]
    found, *_ = np.linalg.lstsq(rows, np.ones(len(runs)), rcond=None)
    if found[1] < 0:  # passes cost nothing that these runs show
        return Cost(float(rows[:, 0].sum() / (rows[:, 0] ** 2).sum()), 0.0)
    return Cost(float(found[0]), float(found[1]))


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a model's shape decides how much it multiplies."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    key_value_heads: int
    head_dim: int

    @property
    def linear_weights(self) -> int:
        """Returns the weights of the layers' matrices; embeddings and head are not multiplied with."""
        attention = self.hidden * self.head_dim * 2 * (self.heads + self.key_value_heads)
        return self.layers * (attention + 3 * self.hidden * self.intermediate)


def operations(shape: Shape, num_tokens: int, num_before: int = 0) -> int:
    """Returns multiplications and additions for tokens that stand behind others, padding not counted.

    Args:
        shape: of the model.
        num_tokens: that are computed.
        num_before: whose keys and values are at hand.
    """
    seen = num_tokens * num_before + num_tokens * (num_tokens + 1) // 2
    attention = 4 * shape.layers * shape.heads * shape.head_dim * seen
    return 2 * shape.linear_weights * num_tokens + attention
