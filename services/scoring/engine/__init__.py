"""Who is computed when: one thread that owns the model, and what is asked of it."""

from services.scoring.engine.attribution import attribute_score, split_parts
from services.scoring.engine.explanation_check import NO_READABLE_TEXT, readable_sentences
from services.scoring.engine.factory import assemble_engine, build_engine
from services.scoring.engine.offline import Outcome, named, running_engine, score_pairs
from services.scoring.engine.scoring_engine import ScoringEngine

__all__ = [
    "NO_READABLE_TEXT",
    "Outcome",
    "ScoringEngine",
    "assemble_engine",
    "attribute_score",
    "build_engine",
    "named",
    "readable_sentences",
    "running_engine",
    "score_pairs",
    "split_parts",
]
