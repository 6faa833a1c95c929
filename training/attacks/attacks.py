"""Puts an attack into a resume: what a candidate might try in order to get a better score."""

import json
import random
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from training.attacks.disguises import DISGUISES

PASTED_JOB = "pasted_job"
_PLACES = ("start", "middle", "end")


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to attack.

    Attributes:
        kind: such as ``instruction`` or ``zero_width``.
        language: ISO 639-1 code of its text.
        is_held_out: whether it is for measuring alone, so that no training ever sees it.
        text: what is said; of a pasted job, how much of it.
    """

    kind: str
    language: str
    is_held_out: bool
    text: str


@cache
def load_attacks() -> tuple[Attack, ...]:
    """Returns all attacks, in the order of their file."""
    content = files("training.attacks").joinpath("data/attacks.json").read_text("utf-8")
    return tuple(Attack(**row) for row in json.loads(content))


def attacked_resume(attack: Attack, resume: str, job_description: str, chance: random.Random) -> str:
    """Returns the resume with the attack in it, as lines of their own; its honest lines stay as they are."""
    lines = resume.split("\n")
    at = {"start": 0, "middle": len(lines) // 2, "end": len(lines)}[chance.choice(_PLACES)]
    return "\n".join([*lines[:at], _payload(attack, job_description), *lines[at:]])


def random_attack(resume: str, job_description: str, chance: random.Random) -> str:
    """Returns the resume with any attack in it but those held out; for training."""
    known = [attack for attack in load_attacks() if not attack.is_held_out]
    kind = chance.choice(sorted({attack.kind for attack in known}))
    attack = chance.choice([each for each in known if each.kind == kind])
    return attacked_resume(attack, resume, job_description, chance)


def _payload(attack: Attack, job_description: str) -> str:
    if attack.kind != PASTED_JOB:
        return DISGUISES.get(attack.kind, str)(attack.text)
    how_much, _, manner = attack.text.partition(" ")
    sentences = re.split(r"(?<=[.;:\n])\s+", job_description.strip())
    chosen = {"whole": sentences, "half": sentences[: (len(sentences) + 1) // 2]}.get(
        how_much, sentences[len(sentences) // 3 : 2 * len(sentences) // 3 + 1]
    )
    text = " ".join(chosen)
    return f"Experience in: {text}" if manner else text
