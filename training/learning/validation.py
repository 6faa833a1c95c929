"""Scores validation pairs with the model in training, as the served read-out does."""

from collections.abc import Sequence

import torch

from services.contracts.errors import InvalidInput
from services.contracts.reading import ReadingRules
from services.contracts.scoring import ScoreDistribution
from services.scoring.model.score_model import ScoreModel, TreeRow
from services.scoring.reading.pair_reader import PairReader
from services.scoring.reading.text_encoder import TextEncoder
from training.figures.evaluation import Evaluation, evaluate
from training.learning.objectives import log_distribution
from training.pairs.dataset import LabelledPair


def validate(
    model: ScoreModel, encoder: TextEncoder, pairs: Sequence[LabelledPair], rules: ReadingRules
) -> Evaluation | None:
    """Returns the figures over pairs, or None where none of them can be read.

    Args:
        pairs: at least one.
    """
    reader = PairReader(encoder, rules)
    labels, distributions = [], []
    for pair in pairs:
        try:
            prompt = reader.read(pair.pair.job_description, pair.pair.resume).prompt
        except InvalidInput:
            continue
        row = TreeRow(None, (*prompt.prefix, *prompt.suffix))
        with torch.inference_mode():
            probabilities = log_distribution(model.differentiable_tree_logits([row])).exp()[0]
        labels.append(pair)
        distributions.append(ScoreDistribution(tuple(probabilities.double().tolist())))
    return evaluate(labels, distributions) if labels else None
