"""Decides which waiting pairs form the next batch. Pure: no tensors, no clock, no queue."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from services.scoring.reading.score_scale import NUM_TREE_NODES


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the planner knows of one waiting pair.

    Attributes:
        prefix: equal for pairs of the same job.
        num_prefix_tokens: length of the job part.
        num_suffix_tokens: length of the rest.
        is_prefix_cached: whether the job part need not be computed.
        waited_seconds: time since the pair was accepted.
    """

    prefix: Hashable
    num_prefix_tokens: int
    num_suffix_tokens: int
    is_prefix_cached: bool
    waited_seconds: float


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Bounds of one batch.

    Attributes:
        max_tokens: tokens computed in one pass, padding included; one pair alone may exceed it.
        window_seconds: how long the oldest pair waits for others.
        max_padding: largest share of the computed suffix tokens that may be padding.
    """

    max_tokens: int
    window_seconds: float
    max_padding: float = 0.1


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The planner's answer.

    Attributes:
        chosen: indexes of the candidates to compute now; empty means wait.
        wait_seconds: how long to wait at most before asking again, where nothing is chosen.
    """

    chosen: tuple[int, ...] = ()
    wait_seconds: float = 0.0


def plan_batch(candidates: Sequence[Candidate], limits: BatchLimits) -> BatchPlan:
    """Chooses the next batch.

    The pair that has waited longest leads and is always chosen, so nobody starves. Pairs of its job come
    next, then those of other jobs; within each, those closest in length to the leader first. A pair joins
    while the batch stays within its budget and its padding within its share.

    Args:
        candidates: the waiting pairs, in any order; at least one.
    """
    leader = max(range(len(candidates)), key=lambda index: candidates[index].waited_seconds)
    waited = candidates[leader].waited_seconds
    if waited < limits.window_seconds and _num_tokens(candidates) < limits.max_tokens:
        return BatchPlan(wait_seconds=limits.window_seconds - waited)

    lead = candidates[leader]
    others = sorted(
        (index for index in range(len(candidates)) if index != leader),
        key=lambda index: (
            candidates[index].prefix != lead.prefix,
            abs(candidates[index].num_suffix_tokens - lead.num_suffix_tokens),
        ),
    )
    draft = _Draft(limits)
    draft.add(lead)
    chosen = [leader]
    for index in others:
        if draft.has_room_for(candidates[index]):
            draft.add(candidates[index])
            chosen.append(index)
    return BatchPlan(chosen=tuple(chosen))


def _num_tokens(candidates: Sequence[Candidate]) -> int:
    return sum(candidate.num_suffix_tokens + NUM_TREE_NODES for candidate in candidates)


class _Draft:
    """Counts the tokens of a batch as it grows."""

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._num_pairs = 0
        self._real_suffix_tokens = 0
        self._longest_suffix = 0
        self._computed_prefixes: dict[Hashable, int] = {}

    def add(self, candidate: Candidate) -> None:
        self._num_pairs += 1
        self._real_suffix_tokens += candidate.num_suffix_tokens
        self._longest_suffix = max(self._longest_suffix, candidate.num_suffix_tokens)
        if not candidate.is_prefix_cached:
            self._computed_prefixes[candidate.prefix] = candidate.num_prefix_tokens

    def has_room_for(self, candidate: Candidate) -> bool:
        longest = max(self._longest_suffix, candidate.num_suffix_tokens)
        padded = (self._num_pairs + 1) * longest
        padding = padded - self._real_suffix_tokens - candidate.num_suffix_tokens
        if padding > self._limits.max_padding * padded:
            return False
        prefixes = sum(self._computed_prefixes.values())
        if not candidate.is_prefix_cached and candidate.prefix not in self._computed_prefixes:
            prefixes += candidate.num_prefix_tokens
        computed = padded + (self._num_pairs + 1) * NUM_TREE_NODES + prefixes
        return computed <= self._limits.max_tokens
