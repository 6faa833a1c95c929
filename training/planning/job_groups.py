"""Puts the resumes of a job into groups of similar length, so that little of a pass is padding."""

import random
from collections import defaultdict
from collections.abc import Sequence

from services.contracts.errors import InvalidInput
from services.scoring.reading.pair_reader import PairReader
from training.pairs.dataset import LabelledPair
from training.planning.batches import JobGroup

# Neighbours in length change a little from epoch to epoch, so that the ranking loss sees other pairs.
_LENGTH_JITTER = 0.2


def build_job_groups(
    pairs: Sequence[LabelledPair], reader: PairReader, max_resumes: int, order: random.Random
) -> tuple[list[JobGroup], int]:
    """Groups pairs by job, resumes of similar length together, and shuffles the groups.

    Returns:
        The groups, and how many pairs were left out because a text holds nothing to read.
    """
    by_job: dict[tuple[int, ...], list[tuple[float, tuple[int, ...], float]]] = defaultdict(list)
    num_left_out = 0
    for labelled in pairs:
        try:
            prompt = reader.read(labelled.pair.job_description, labelled.pair.resume).prompt
        except InvalidInput:
            num_left_out += 1
            continue
        place = len(prompt.suffix) * order.uniform(1 - _LENGTH_JITTER, 1 + _LENGTH_JITTER)
        by_job[prompt.prefix].append((place, prompt.suffix, labelled.score))
    groups = []
    for prefix, members in by_job.items():
        members.sort()
        for start in range(0, len(members), max_resumes):
            _, suffixes, labels = zip(*members[start : start + max_resumes], strict=True)
            groups.append(JobGroup(prefix, suffixes, labels))
    order.shuffle(groups)
    return groups, num_left_out
