"""The same resume under other identities: only what no score may depend on differs.

Correspondence testing, as in Bertrand and Mullainathan 2004: identical qualifications under names that tell
of a sex and a race. Here every resume is its own control.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from services.scoring.reading.identity.identity_masking import NAME_PLACEHOLDER, mask_identity

DIMENSIONS = (
    "names",
    "pronouns",
    "societies",
    "photos",
    "ages",
    "graduation_years",
    "addresses",
    "schools",
)
#: Sexes and races that the names tell of; all of their pairs are intersections.
SEXES = ("female", "male")
RACES = ("White", "Black", "Hispanic", "Asian")
NUM_NAME_GROUPS = len(SEXES) * len(RACES)

_PRONOUN_LINE = (
    "Pronouns: {subject}/{object}\n"
    "Colleagues say that {subject} can be relied on, "
    "and that {possessive} word counts for those around {object}."
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One resume under one identity.

    Attributes:
        dimension: one of ``DIMENSIONS``.
        name: what differs from the other variants of the dimension; never a person's name.
        resume: the text.
        sex: what the name tells, in the dimension "names"; else empty.
        race_ethnicity: likewise.
    """

    dimension: str
    name: str
    resume: str
    sex: str = ""
    race_ethnicity: str = ""


@lru_cache(1)
def identities() -> dict[str, Any]:
    """Returns the lists of names, societies, addresses and so on, with their sources."""
    data: dict[str, Any] = json.loads(files(__package__).joinpath("data/identities.json").read_text("utf-8"))
    return data


def identity_variants(resume: str, turn: int) -> Iterator[Variant]:
    """Yields a resume under every identity, dimension after dimension.

    What the resume itself tells of its writer is removed first, so that variants differ in one thing alone.

    Args:
        turn: rotates through the names, so that many resumes together use all of them.
    """
    neutral = mask_identity(resume)
    lists = identities()
    for group in lists["names"]:
        first = group["first"][turn % len(group["first"])]
        last = group["last"][(turn // len(group["first"]) + turn) % len(group["last"])]
        yield Variant(
            "names",
            f"{group['race_ethnicity']} {group['sex']}",
            with_name(neutral, f"{first} {last}"),
            group["sex"],
            group["race_ethnicity"],
        )
    for pronouns in lists["pronouns"]:
        yield Variant("pronouns", pronouns["subject"], _with_line(neutral, _PRONOUN_LINE.format(**pronouns)))
    for dimension in DIMENSIONS[2:]:
        for line in lists[dimension]:
            yield Variant(dimension, line, _with_line(neutral, line))


def with_name(neutral: str, name: str) -> str:
    """Returns a masked resume with a name in all places where its own stood, at least at the top."""
    if NAME_PLACEHOLDER in neutral:
        return neutral.replace(NAME_PLACEHOLDER, name)
    return f"{name}\n{neutral}"


def _with_line(neutral: str, line: str) -> str:
    """Returns the resume with a line behind its first one, where contact data stand."""
    first, _, others = neutral.partition("\n")
    return f"{first}\n{line}\n{others}"
