"""Changes texts in ways that a careful reader would judge the same, or nearly so."""

import dataclasses
import random
import re

from services.contracts.scoring import category_of
from training.attacks.attacks import random_attack
from training.pairs.dataset import LabelledPair

# A resume with slips in it reads a little worse.
RESUME_NOISE_POINTS = 2.0
_TYPO_SHARE = 0.01
_DROPPED_LINE_SHARE = 0.05

# What recruiters write in turn for the same thing; each group is interchangeable in its place.
_PHRASES: tuple[tuple[str, ...], ...] = (
    ("we are looking for", "we are seeking", "we are hiring", "we need"),
    ("you will be responsible for", "your responsibilities include", "you will take care of"),
    ("responsibilities", "what you will do", "your role", "duties"),
    ("requirements", "what we expect", "qualifications", "what you bring"),
    ("preferred qualifications", "nice to have", "a plus"),
    ("years of experience", "years of professional experience", "years in the field"),
    ("experience with", "hands-on experience with", "working knowledge of", "experience in using"),
    ("strong knowledge of", "a solid command of", "in-depth knowledge of"),
    ("ability to", "the ability to", "being able to"),
    ("at least", "a minimum of", "no less than"),
    ("bachelor's degree", "bachelor degree", "undergraduate degree"),
    ("master's degree", "master degree", "graduate degree"),
    ("excellent communication skills", "strong communication skills", "clear communication"),
    ("team player", "good colleague", "collaborative person"),
    ("work closely with", "collaborate with", "work together with"),
    ("fast-paced environment", "dynamic environment", "busy environment"),
    ("ensure", "make sure of", "see to"),
    ("develop", "build", "create"),
    ("manage", "oversee", "run"),
    ("support", "assist", "help"),
)
_GROUP_OF = {phrase: group for group in _PHRASES for phrase in group}
_PHRASE = re.compile(
    r"\b(" + "|".join(sorted(map(re.escape, _GROUP_OF), key=len, reverse=True)) + r")\b", re.IGNORECASE
)
_SECTION_BREAK = re.compile(r"\n\s*\n")


def paraphrase_job(text: str, chance: random.Random) -> str:
    """Replaces phrases that recruiters use in turn; the meaning stays."""

    def replace(match: re.Match[str]) -> str:
        found = match.group(0)
        chosen = chance.choice(_GROUP_OF[found.lower()])
        return chosen[:1].upper() + chosen[1:] if found[:1].isupper() else chosen

    return _PHRASE.sub(replace, text)


def shuffle_sections(text: str, chance: random.Random) -> str:
    """Reorders the sections of a job behind its first one, which says what the job is."""
    first, *others = _SECTION_BREAK.split(text)
    chance.shuffle(others)
    return "\n\n".join([first, *others])


def add_resume_noise(text: str, chance: random.Random) -> str:
    """Leaves out some lines, except the first, and swaps neighbouring letters in some words."""
    lines = text.split("\n")
    kept = [line for index, line in enumerate(lines) if not index or chance.random() >= _DROPPED_LINE_SHARE]
    return misspell("\n".join(kept), chance, _TYPO_SHARE)


def misspell(text: str, chance: random.Random, share: float) -> str:
    """Swaps two neighbouring letters within a share of the words of four letters or more."""
    return re.sub(r"[^\W\d_]{4,}", lambda match: _misspelt(match.group(0), chance, share), text)


def _misspelt(word: str, chance: random.Random, share: float) -> str:
    if chance.random() >= share:
        return word
    at = chance.randrange(1, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def augment(labelled: LabelledPair, chance: random.Random) -> LabelledPair:
    """Returns a changed pair: either another wording of the job, or a resume with slips and 2 points less."""
    pair, score = labelled.pair, labelled.score
    if chance.random() < 0.5:
        job = shuffle_sections(paraphrase_job(pair.job_description, chance), chance)
        return dataclasses.replace(labelled, pair=dataclasses.replace(pair, job_description=job))
    noisy = dataclasses.replace(pair, resume=add_resume_noise(pair.resume, chance))
    lowered = max(0.0, score - RESUME_NOISE_POINTS)
    return LabelledPair(noisy, lowered, category_of(lowered))


def with_attack(labelled: LabelledPair, chance: random.Random) -> LabelledPair:
    """Returns the pair with a prompt injection in its resume and its label unchanged: it must not pay off."""
    pair = labelled.pair
    attacked = random_attack(pair.resume, pair.job_description, chance)
    return dataclasses.replace(labelled, pair=dataclasses.replace(pair, resume=attacked))
