"""The pairs by which a scorer recognises an adapter: invented texts with the scores it gave them."""

from services.contracts.adapters import Canary
from services.scoring.prompt import PromptBuilder
from services.scoring.score_model import ScoreModel
from services.scoring.text_encoder import TextEncoder
from training.served_scoring import SERVED_PROMPT_TOKENS, score_as_served
from training.synthetic.generator import generate_pairs

NUM_CANARIES = 4
_SEED = 20_250_101


def score_canaries(model: ScoreModel, encoder: TextEncoder) -> tuple[Canary, ...]:
    """Scores the canaries, one of each category, with the adapter that the model holds."""
    builder = PromptBuilder(encoder, SERVED_PROMPT_TOKENS)
    rows = list(generate_pairs(NUM_CANARIES, seed=_SEED))
    prompts = [builder.build(row["job_description"], row["resume"]) for row in rows]
    return tuple(
        Canary(row["job_description"], row["resume"], distribution.mean)
        for row, distribution in zip(rows, score_as_served(model, prompts), strict=True)
    )
