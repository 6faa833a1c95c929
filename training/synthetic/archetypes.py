"""Kinds of candidates, by the category that they mostly end in; the score itself decides."""

from dataclasses import dataclass
from typing import Literal

Origin = Literal["same", "related", "family", "other"]


@dataclass(frozen=True, slots=True)
class Archetype:
    """One kind of candidate.

    Attributes:
        name: what it is.
        origin: where the latest roles are from: the job's occupation, a related one, one of the same family
            or one of another family.
        coverage: lowest and highest share of the required skills held.
        years_factor: lowest and highest of the relevant years, as a multiple of those needed.
        level_shifts: levels above (positive) or below the job's, one of them.
        education_shifts: levels above or below the job's, one of them.
        is_licensed: whether the mandatory licences are held.
        lowest_transfer: for related origins, how much a year there must count at least.
    """

    name: str
    origin: Origin
    coverage: tuple[float, float]
    years_factor: tuple[float, float]
    level_shifts: tuple[int, ...] = (0,)
    education_shifts: tuple[int, ...] = (0, 0, 1)
    is_licensed: bool = True
    lowest_transfer: float = 0.0


UNLICENSED = Archetype("right in all but the licence", "same", (0.7, 1.0), (0.9, 1.8), is_licensed=False)

#: Each category's kinds: near misses stand beside plain cases, so that no single cue gives the score away.
ARCHETYPES: dict[str, tuple[Archetype, ...]] = {
    "excellent": (
        Archetype("strong match", "same", (0.8, 1.0), (1.0, 1.9)),
        Archetype("seasoned", "same", (0.75, 1.0), (1.2, 2.5), (0, 1)),
        Archetype("self-taught", "same", (0.9, 1.0), (1.1, 2.2), (0,), (-1, 0)),
        Archetype("close relative", "related", (0.9, 1.0), (1.0, 1.6), lowest_transfer=0.6),
    ),
    "good": (
        Archetype("most of the skills", "same", (0.55, 0.8), (0.9, 1.8)),
        Archetype("a level below", "same", (0.7, 1.0), (0.4, 0.8), (-1,)),
        Archetype("another title with the skills", "related", (0.75, 1.0), (0.4, 0.9), (-1, 0), (-1, 0, 1)),
        Archetype("overqualified", "same", (0.6, 0.85), (2.0, 3.5), (1, 2)),
        Archetype("without the degree", "same", (0.7, 0.9), (0.8, 1.6), (0,), (-2, -1)),
    ),
    "fair": (
        Archetype("half of the skills", "same", (0.35, 0.55), (0.8, 1.6), (-1, 0)),
        Archetype("early in the career", "same", (0.6, 1.0), (0.05, 0.4), (-3, -2, -1), (-1, 0)),
        Archetype("related with half of the skills", "related", (0.4, 0.65), (0.3, 0.9), (-1, 0)),
        Archetype("related with all of the skills", "related", (0.7, 1.0), (0.05, 0.3), (-2, -1), (-1, 0)),
        Archetype("right title, few of the skills", "same", (0.3, 0.4), (1.2, 2.5), (0, 1)),
    ),
    "poor": (
        Archetype("another domain", "other", (0.0, 0.2), (0.4, 2.0), (-1, 0, 1), (-1, 0, 1)),
        Archetype("another domain, all the keywords", "other", (0.6, 1.0), (0.4, 2.0), (-1, 0), (-1, 0)),
        Archetype("right title without the skills", "same", (0.0, 0.2), (0.9, 2.2), (0,), (-1, 0)),
        Archetype("beginner", "same", (0.1, 0.4), (0.0, 0.3), (-3, -2), (-2, -1, 0)),
        Archetype("same family, other work", "family", (0.0, 0.35), (0.3, 1.2), (-1, 0, 1), (-1, 0)),
        Archetype("related without the skills", "related", (0.0, 0.25), (0.3, 1.0), (-1, 0)),
    ),
}
