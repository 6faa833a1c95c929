"""Scores a sample of the training pairs with the new adapter, for scorers to notice drift by."""

import random
from collections.abc import Sequence

from services.contracts.errors import InvalidInput
from services.contracts.reading import ReadingRules
from services.contracts.reference import (
    NUM_BINS,
    PROMPT_TOKEN_EDGES,
    SCORE_EDGES,
    ReferenceFigures,
    bin_of,
)
from services.scoring.model.score_model import ScoreModel
from services.scoring.reading.pair_reader import PairReader
from services.scoring.reading.prompt import Prompt
from services.scoring.reading.text_encoder import TextEncoder
from training.figures.served_scoring import score_as_served
from training.pairs.dataset import LabelledPair


def measure_reference(
    model: ScoreModel,
    encoder: TextEncoder,
    pairs: Sequence[LabelledPair],
    rules: ReadingRules,
    num_pairs: int,
    seed: int,
) -> ReferenceFigures | None:
    """Returns the histograms over a sample, or None where the sample is empty.

    Args:
        model: holds the adapter, in evaluation mode.
        pairs: what the adapter was trained on, as it came.
        rules: by which scorers read, so that lengths compare with theirs where training shortens its own.
        num_pairs: size of the sample, at most; 0 takes none.
        seed: of the choice; the same seed and pairs give the same sample.
    """
    sample = random.Random(seed).sample(list(pairs), min(num_pairs, len(pairs)))  # noqa: S311
    prompts = _prompts(PairReader(encoder, rules), sample)
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


def _prompts(reader: PairReader, pairs: Sequence[LabelledPair]) -> list[Prompt]:
    """Returns the prompts of the pairs that can be read, those of one job side by side."""
    prompts = []
    for pair in sorted(pairs, key=lambda pair: pair.pair.job_description):
        try:
            prompts.append(reader.read(pair.pair.job_description, pair.pair.resume).prompt)
        except InvalidInput:
            continue
    return prompts
