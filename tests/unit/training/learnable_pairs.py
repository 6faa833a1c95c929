"""Pairs that a tiny random Gemma can learn to tell apart in seconds."""

from training.configuration import FineTuningConfig
from training.pairs.dataset import LabelledPair, Pair

CONFIG = FineTuningConfig(
    rank=4,
    alpha=8,
    dropout=0.0,
    learning_rate=2e-2,
    epochs=6,
    batch_size=4,
    gradient_accumulation_steps=1,
    max_prompt_tokens=256,
    validation_share=0.0,
    tensorboard=False,
)
JOBS = ["A job for a nurse.", "A job for a welder."]


def learnable_pairs() -> list[LabelledPair]:
    """Good resumes say yes and bad ones no, in both jobs."""
    return [
        LabelledPair(Pair(1, f"{word} " * 6 + str(number), job, {}), score, category)
        for job in JOBS
        for number in range(3)
        for word, score, category in (("yes", 90.0, "excellent"), ("no", 10.0, "poor"))
    ]
