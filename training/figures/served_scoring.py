"""Scores prompts with the model in training, step by step as a scorer does."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from services.contracts.scoring import ScoreDistribution
from services.scoring.model.score_model import ScoreModel, TreeRow
from services.scoring.reading.prompt import Prompt
from services.scoring.reading.score_scale import distribution_from_logits


def score_as_served(model: ScoreModel, prompts: Iterable[Prompt]) -> Iterator[ScoreDistribution]:
    """Yields the distribution of each prompt, in order.

    Args:
        model: holds the adapter, in evaluation mode.
        prompts: the job's state is computed once for those of one job that follow each other.
    """
    for prefix, of_job in groupby(prompts, key=lambda prompt: prompt.prefix):
        state = model.compute_prefix(prefix)
        for prompt in of_job:
            logits = model.score_tree_logits([TreeRow(state, prompt.suffix)])[0]
            yield ScoreDistribution(tuple(distribution_from_logits(logits).tolist()))
