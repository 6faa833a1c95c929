"""Scores validation pairs with the model in training, as the served read-out does."""

from collections.abc import Sequence

import torch

from services.contracts.errors import InvalidInput
from services.contracts.scoring import ScoreDistribution
from services.scoring.prompt import PromptBuilder
from services.scoring.score_model import ScoreModel, TreeRow
from services.scoring.text_encoder import TextEncoder
from training.configuration import FineTuningConfig
from training.dataset import LabelledPair
from training.evaluation import Evaluation, evaluate
from training.objectives import log_distribution


def validate(
    model: ScoreModel, encoder: TextEncoder, pairs: Sequence[LabelledPair], config: FineTuningConfig
) -> Evaluation | None:
    """Returns the figures over pairs, or None where no job leaves room for a resume.

    Args:
        model: in evaluation mode.
        encoder: of the base model.
        pairs: at least one.
        config: gives the longest prompt.
    """
    prompts = PromptBuilder(encoder, config.max_prompt_tokens, config.max_resume_tokens)
    labels, distributions = [], []
    for pair in pairs:
        try:
            prompt = prompts.build(pair.pair.job_description, pair.pair.resume)
        except InvalidInput:
            continue
        row = TreeRow(None, (*prompt.prefix, *prompt.suffix))
        with torch.inference_mode():
            probabilities = log_distribution(model.differentiable_tree_logits([row])).exp()[0]
        labels.append(pair)
        distributions.append(ScoreDistribution(tuple(probabilities.double().tolist())))
    return evaluate(labels, distributions) if labels else None
