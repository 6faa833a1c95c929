"""Pairs of a clean and an attacked resume, the same ones for ever: what attacks are measured on."""

import itertools
import random
from dataclasses import dataclass, field

from training.attacks.attacks import Attack, attacked_resume, load_attacks
from training.synthetic.generator import generate_pairs

NUM_CLEAN = 24
_SEED = 606


@dataclass(frozen=True, slots=True)
class AttackedPair:
    """One application, honest and attacked.

    Attributes:
        attack: what was put into it.
        job_description: the job.
        clean: the honest resume.
        attacked: the same with the attack.
        score: the honest resume's true score, in points; the attack changes nothing about it.
    """

    attack: Attack
    job_description: str = field(repr=False)
    clean: str = field(repr=False)
    attacked: str = field(repr=False)
    score: float


def build_suite() -> list[AttackedPair]:
    """Returns one pair for each attack, over clean resumes of all categories."""
    rows = itertools.cycle(generate_pairs(NUM_CLEAN, seed=_SEED))
    chance = random.Random(_SEED)  # noqa: S311 - texts, not secrets
    return [
        AttackedPair(
            attack,
            row["job_description"],
            row["resume"],
            attacked_resume(attack, row["resume"], row["job_description"], chance),
            row["score"],
        )
        for attack, row in zip(load_attacks(), rows, strict=False)
    ]
