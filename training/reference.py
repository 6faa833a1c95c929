"""Scores a sample of the training pairs with the new adapter, for scorers to notice drift by."""

import random
from collections.abc import Sequence

from services.contracts.errors import InvalidInput
from services.contracts.reference import (
    NUM_BINS,
    PROMPT_TOKEN_EDGES,
    SCORE_EDGES,
    ReferenceFigures,
    bin_of,
)
from services.scoring.prompt import Prompt, PromptBuilder
from services.scoring.score_model import ScoreModel
from services.scoring.text_encoder import TextEncoder
from training.dataset import LabelledPair
from training.served_scoring import SERVED_PROMPT_TOKENS, score_as_served


def measure_reference(
    model: ScoreModel, encoder: TextEncoder, pairs: Sequence[LabelledPair], num_pairs: int, seed: int
) -> ReferenceFigures | None:
    """Returns the histograms over a sample, or None where the sample is empty.

    Prompts are built as scorers build them, so that lengths compare with theirs even where training shortens
    its own.

    Args:
        model: holds the adapter, in evaluation mode.
        encoder: of the base model.
        pairs: what the adapter was trained on.
        num_pairs: size of the sample, at most; 0 takes none.
        seed: of the choice; the same seed and pairs give the same sample.
    """
    sample = random.Random(seed).sample(list(pairs), min(num_pairs, len(pairs)))  # noqa: S311
    prompts = _prompts(encoder, sample)
    if not prompts:
        return None
    scores, lengths = [0] * NUM_BINS, [0] * NUM_BINS
    for prompt, distribution in zip(prompts, score_as_served(model, prompts), strict=True):
        scores[bin_of(distribution.mean, SCORE_EDGES)] += 1
        lengths[bin_of(prompt.num_tokens, PROMPT_TOKEN_EDGES)] += 1
    return ReferenceFigures(
        tuple(scores),
        tuple(lengths),
        _shortest([prompt.num_job_tokens for prompt in prompts]),
        _shortest([prompt.num_resume_tokens for prompt in prompts]),
    )


def _shortest(lengths: Sequence[int]) -> int:
    """Returns the length below which one in a hundred lies."""
    return sorted(lengths)[len(lengths) // 100]


def _prompts(encoder: TextEncoder, pairs: Sequence[LabelledPair]) -> list[Prompt]:
    """Returns the prompts of the pairs that fit, those of one job side by side."""
    builder = PromptBuilder(encoder, SERVED_PROMPT_TOKENS)
    prompts = []
    for pair in sorted(pairs, key=lambda pair: pair.pair.job_description):
        try:
            prompts.append(builder.build(pair.pair.job_description, pair.pair.resume))
        except InvalidInput:
            continue
    return prompts
