"""The pairs by which a scorer recognises an adapter: invented texts with the scores it gave them."""

from services.contracts.adapters import Canary
from services.contracts.scoring import ScoreDistribution
from services.scoring.prompt import PromptBuilder
from services.scoring.score_model import ScoreModel, TreeRow
from services.scoring.score_scale import distribution_from_logits
from services.scoring.text_encoder import TextEncoder
from training.synthetic.generator import generate_pairs

NUM_CANARIES = 4
_SEED = 20_250_101
_MAX_TOKENS = 2048


def score_canaries(model: ScoreModel, encoder: TextEncoder) -> tuple[Canary, ...]:
    """Scores the canaries, one of each category, with the adapter that the model holds."""
    prompts = PromptBuilder(encoder, _MAX_TOKENS)
    canaries = []
    for row in generate_pairs(NUM_CANARIES, seed=_SEED):
        prompt = prompts.build(row["job_description"], row["resume"])
        state = model.compute_prefix(prompt.prefix)
        logits = model.score_tree_logits([TreeRow(state, prompt.suffix)])[0]
        distribution = ScoreDistribution(tuple(distribution_from_logits(logits).tolist()))
        canaries.append(Canary(row["job_description"], row["resume"], distribution.mean))
    return tuple(canaries)
