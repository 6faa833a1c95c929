"""What an adapter's scores and prompts looked like in training, and how far today's are from it.

The bins stand here alone: training counts into them and scorers compare with them.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any, TypeGuard

#: Upper ends of all score bins but the last, in points; an end belongs to the bin above it.
SCORE_EDGES: tuple[float, ...] = (10, 20, 30, 40, 50, 60, 70, 80, 90)
#: The same for the length of a prompt, in tokens. Most resumes with their job take 500 to 1,500; the last
#: bin holds those that fill the default limit of 2,048, and longer ones.
PROMPT_TOKEN_EDGES: tuple[float, ...] = (256, 384, 512, 640, 768, 1024, 1280, 1536, 2048)
NUM_BINS = len(SCORE_EDGES) + 1

#: Added to the count of every bin, so that an empty one gives a finite index: half an observation, the
#: estimator of Krichevsky and Trofimov (1981). It biases the shares towards each other, hence the index
#: downwards, by less the more there is.
BIN_SMOOTHING = 0.5


@dataclass(frozen=True, slots=True)
class ReferenceFigures:
    """Histograms over a sample of the pairs that an adapter was trained on.

    Attributes:
        score: how many of its scores lie in each bin of ``SCORE_EDGES``.
        prompt_tokens: how many prompts lie in each bin of ``PROMPT_TOKEN_EDGES``.
        shortest_job_tokens: one job in a hundred has fewer; 0 where that was not measured.
        shortest_resume_tokens: the same of the resumes.
    """

    score: tuple[int, ...]
    prompt_tokens: tuple[int, ...]
    shortest_job_tokens: int = 0
    shortest_resume_tokens: int = 0

    def to_json(self) -> dict[str, Any]:
        """Returns what an adapter's metadata hold, edges included."""
        return {
            "score_edges": list(SCORE_EDGES),
            "score": list(self.score),
            "prompt_token_edges": list(PROMPT_TOKEN_EDGES),
            "prompt_tokens": list(self.prompt_tokens),
            "shortest_job_tokens": self.shortest_job_tokens,
            "shortest_resume_tokens": self.shortest_resume_tokens,
        }


def reference_from_json(content: Any) -> ReferenceFigures | None:
    """Reads what ``ReferenceFigures.to_json`` wrote; None where nothing comparable was written.

    Drift is a warning: a reference that is missing, damaged or of other bins must not keep an adapter out.
    """
    if not isinstance(content, Mapping):
        return None
    if content.get("score_edges") != list(SCORE_EDGES):
        return None
    if content.get("prompt_token_edges") != list(PROMPT_TOKEN_EDGES):
        return None
    score, prompt_tokens = content.get("score"), content.get("prompt_tokens")
    if not _is_histogram(score) or not _is_histogram(prompt_tokens):
        return None
    return ReferenceFigures(
        tuple(score),
        tuple(prompt_tokens),
        _count_of(content.get("shortest_job_tokens")),
        _count_of(content.get("shortest_resume_tokens")),
    )


def bin_of(value: float, edges: Sequence[float]) -> int:
    """Returns the number of the bin that a value falls into, from 0."""
    return bisect_right(edges, value)


def population_stability_index(expected: Sequence[int], observed: Sequence[int]) -> float:
    """Returns how far two histograms are apart; 0 when their shares are equal.

    ``sum((o - e) * ln(o / e))`` over the shares of the bins: Siddiqi, "Credit Risk Scorecards" (2006), whose
    rule of thumb calls less than 0.1 no change, up to 0.25 some, and more a shift. Without any shift its mean
    is about ``(bins - 1) * (1 / n + 1 / m)`` (Yurdakul, "Statistical Properties of Population Stability
    Index", 2018). ``BIN_SMOOTHING`` is added to every count.

    Args:
        expected: counts of the reference, by bin.
        observed: counts to compare, over the same bins.
    """
    index = 0.0
    for e, o in zip(_shares(expected), _shares(observed), strict=True):
        index += (o - e) * log(o / e)
    return index


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) + BIN_SMOOTHING * len(counts)
    return [(count + BIN_SMOOTHING) / total for count in counts]


def _count_of(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _is_histogram(counts: Any) -> TypeGuard[list[int]]:
    return (
        isinstance(counts, list)
        and len(counts) == NUM_BINS
        and all(isinstance(count, int) and count >= 0 for count in counts)
        and sum(counts) > 0
    )
