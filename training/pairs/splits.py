"""Splits pairs so that no job stands on both sides: labels leak through a job that does."""

from collections.abc import Sequence

from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

from training.pairs.dataset import LabelledPair


def split_off_validation(
    pairs: Sequence[LabelledPair], share: float, seed: int
) -> tuple[list[LabelledPair], list[LabelledPair]]:
    """Returns pairs to train on and pairs to validate with.

    Args:
        share: of the jobs that go to validation; 0 keeps none. A set with one job is split by rows.
    """
    if share == 0 or len(pairs) < 2:
        return list(pairs), []
    jobs = [pair.pair.job_description for pair in pairs]
    if len(set(jobs)) > 1:
        size = max(1, round(share * len(set(jobs))))
        split = GroupShuffleSplit(1, test_size=size, random_state=seed).split(jobs, groups=jobs)
    else:
        split = ShuffleSplit(1, test_size=max(1, round(share * len(pairs))), random_state=seed).split(jobs)
    chosen, kept_out = next(split)
    return [pairs[index] for index in chosen], [pairs[index] for index in kept_out]
