"""Training examples: some resumes of one job, whose job part is computed once for all of them."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from services.contracts.errors import InvalidInput
from services.scoring.prompt import PromptBuilder
from training.dataset import LabelledPair


@dataclass(frozen=True, slots=True)
class JobGroup:
    """Some labelled resumes of one job.

    Attributes:
        prefix: token ids up to and including the job.
        suffixes: token ids of each resume and what stands behind it.
        labels: judged score of each resume, in points.
    """

    prefix: tuple[int, ...]
    suffixes: tuple[tuple[int, ...], ...]
    labels: tuple[float, ...]

    @property
    def num_tokens(self) -> int:
        """Returns the tokens that one pass over the group computes, without padding."""
        return len(self.prefix) + sum(map(len, self.suffixes))


def build_job_groups(
    pairs: Sequence[LabelledPair], prompts: PromptBuilder, max_resumes: int, seed: int
) -> tuple[list[JobGroup], int]:
    """Groups pairs by job, resumes of similar length together, and shuffles the groups.

    Args:
        pairs: what to train on.
        prompts: builds the prompts within the training length.
        max_resumes: largest group.
        seed: of the shuffle.

    Returns:
        The groups, and how many pairs were left out because their job alone is too long.
    """
    by_job: dict[tuple[int, ...], list[tuple[tuple[int, ...], float]]] = defaultdict(list)
    num_left_out = 0
    for labelled in pairs:
        try:
            prompt = prompts.build(labelled.pair.job_description, labelled.pair.resume)
        except InvalidInput:
            num_left_out += 1
            continue
        by_job[prompt.prefix].append((prompt.suffix, labelled.score))
    shuffler = random.Random(seed)  # noqa: S311  (an order, not a secret)
    groups = []
    for prefix, members in by_job.items():
        members.sort(key=lambda member: len(member[0]))
        for start in range(0, len(members), max_resumes):
            suffixes, labels = zip(*members[start : start + max_resumes], strict=True)
            groups.append(JobGroup(prefix, suffixes, labels))
    shuffler.shuffle(groups)
    return groups, num_left_out
