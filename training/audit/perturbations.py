"""The same resume in another dress: order of sections, slips, other words, another file's line ends."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from training.planning.augmentation import misspell, shuffle_sections

_SLIP_SHARE = 0.03
_SYNONYMS = {
    "managed": "oversaw",
    "led": "headed",
    "developed": "created",
    "built": "constructed",
    "improved": "enhanced",
    "responsible for": "in charge of",
    "worked with": "collaborated with",
    "assisted": "supported",
    "experienced": "seasoned",
    "proficient in": "skilled in",
    "maintained": "kept up",
    "designed": "devised",
    "trained": "taught",
    "various": "several",
    "using": "with the help of",
}
_SYNONYM = re.compile(r"\b(" + "|".join(map(re.escape, _SYNONYMS)) + r")\b", re.IGNORECASE)
_BULLET = re.compile(r"^[ \t]*[-*•·–]\s+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A resume changed in a way that a careful reader would not mind.

    Attributes:
        kind: what was changed.
        resume: the changed text.
    """

    kind: str
    resume: str


def perturbations(resume: str, chance: random.Random) -> Iterator[Perturbation]:
    """Yields each change that alters this resume at all."""
    for kind, change in _CHANGES.items():
        changed = change(resume, chance)
        if changed != resume:
            yield Perturbation(kind, changed)


def _slips(resume: str, chance: random.Random) -> str:
    return misspell(resume, chance, _SLIP_SHARE)


def _synonyms(resume: str, chance: random.Random) -> str:
    def replace(found: re.Match[str]) -> str:
        chosen = _SYNONYMS[found.group().lower()]
        return chosen.capitalize() if found.group()[0].isupper() else chosen

    return _SYNONYM.sub(replace, resume)


def _as_from_pdf(resume: str, chance: random.Random) -> str:
    """Returns the text as a PDF gives it: bullets of another kind, lines broken at 90 characters."""
    lines = _BULLET.sub("\u2022 ", resume).split("\n")
    return "\n".join(re.sub(r"(.{60,90}) ", r"\1\n", line) for line in lines)


def _as_from_word(resume: str, chance: random.Random) -> str:
    """Returns the text as a word processor saves it: tabs, Windows' line ends, typographic quotes."""
    text = _BULLET.sub("-\t", resume).replace("'", "\u2019")
    return text.replace("\n", "\r\n")


_CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "section order": shuffle_sections,
    "typographic noise": _slips,
    "synonyms": _synonyms,
    "text from PDF": _as_from_pdf,
    "text from a word processor": _as_from_word,
}
