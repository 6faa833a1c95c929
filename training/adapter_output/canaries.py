"""The pairs by which a scorer recognises an adapter: invented texts with the scores it gave them."""

from services.contracts.adapters import Canary
from services.contracts.reading import ReadingRules
from services.scoring.model.score_model import ScoreModel
from services.scoring.reading.pair_reader import PairReader
from services.scoring.reading.text_encoder import TextEncoder
from training.figures.served_scoring import score_as_served
from training.synthetic.generator import generate_pairs

NUM_CANARIES = 4
_SEED = 20_250_101


def score_canaries(model: ScoreModel, encoder: TextEncoder, rules: ReadingRules) -> tuple[Canary, ...]:
    """Scores the canaries, one of each category, with the adapter that the model holds.

    Args:
        model: holds the adapter, in evaluation mode.
        rules: those of the adapter, by which scorers will read the canaries.
    """
    reader = PairReader(encoder, rules)
    rows = list(generate_pairs(NUM_CANARIES, seed=_SEED))
    prompts = [reader.read(row["job_description"], row["resume"]).prompt for row in rows]
    return tuple(
        Canary(row["job_description"], row["resume"], distribution.mean)
        for row, distribution in zip(rows, score_as_served(model, prompts), strict=True)
    )
