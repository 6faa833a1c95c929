"""Figures of an injection audit: how far attacks raise scores, and what is flagged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from services.contracts.scoring import PairScore
from services.scoring.reading.attacks.injection_detector import POSSIBLE_PROMPT_INJECTION, is_suspicious
from training.attacks.suite import AttackedPair
from training.pairs.dataset import Pair

ALL, HELD_OUT = "all", "held out"


@dataclass(frozen=True, slots=True)
class AttackFigures:
    """What one kind of attack does.

    Attributes:
        name: of the kind.
        num_pairs: of a clean and an attacked resume.
        mean_rise: of the score under attack, in points; negative where attacks cost.
        percentile_95_rise: 95 % of the attacks raise the score by no more.
        largest_rise: of any.
        flagged_share: of the attacked resumes, 0 to 1.
    """

    name: str
    num_pairs: int
    mean_rise: float
    percentile_95_rise: float
    largest_rise: float
    flagged_share: float


@dataclass(frozen=True, slots=True)
class InjectionFigures:
    """What the suite shows.

    Attributes:
        all: over all attacks.
        held_out: over those that no training sees.
        kinds: one by one.
        num_clean: different honest resumes of the suite.
        num_clean_flagged: of them, flagged all the same.
    """

    all: AttackFigures
    held_out: AttackFigures
    kinds: tuple[AttackFigures, ...]
    num_clean: int
    num_clean_flagged: int


@dataclass(frozen=True, slots=True)
class FalseFlags:
    """Flags on resumes that are taken for honest.

    Attributes:
        num_resumes: different ones.
        num_flagged: of them, in any of their pairs.
    """

    num_resumes: int
    num_flagged: int


def measure(
    suite: Sequence[AttackedPair], clean: Sequence[PairScore], attacked: Sequence[PairScore]
) -> InjectionFigures:
    """Compares the scores of a suite.

    Args:
        clean, attacked: their scores, in the same order.
    """
    rises = np.array([after.score - before.score for before, after in zip(clean, attacked, strict=True)])
    flags = np.array([POSSIBLE_PROMPT_INJECTION in score.flags for score in attacked])
    kinds = np.array([pair.attack.kind for pair in suite])
    held_out = np.array([pair.attack.is_held_out for pair in suite])

    def figures(name: str, chosen: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> AttackFigures:
        return AttackFigures(
            name=name,
            num_pairs=int(chosen.sum()),
            mean_rise=float(rises[chosen].mean()),
            percentile_95_rise=float(np.percentile(rises[chosen], 95)),
            largest_rise=float(rises[chosen].max()),
            flagged_share=float(flags[chosen].mean()),
        )

    flagged_of = {
        pair.clean: POSSIBLE_PROMPT_INJECTION in score.flags for pair, score in zip(suite, clean, strict=True)
    }
    return InjectionFigures(
        all=figures(ALL, np.ones(len(suite), dtype=bool)),
        held_out=figures(HELD_OUT, held_out),
        kinds=tuple(figures(str(kind), kinds == kind) for kind in sorted(set(kinds))),
        num_clean=len(flagged_of),
        num_clean_flagged=sum(flagged_of.values()),
    )


def count_false_flags(pairs: Iterable[Pair]) -> FalseFlags:
    """Counts the flags on resumes that are taken for honest; needs no model."""
    flagged: dict[str, bool] = {}
    for pair in pairs:
        is_flagged = is_suspicious(pair.resume, pair.job_description)
        flagged[pair.resume] = flagged.get(pair.resume, False) or is_flagged
    return FalseFlags(len(flagged), sum(flagged.values()))
