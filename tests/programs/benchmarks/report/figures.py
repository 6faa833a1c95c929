"""What a benchmark gives: figures with their spread, beside the marks that they should reach."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity.

    Attributes:
        what: it is, in words; the same in every run.
        median: over the rounds.
        lowest: of the rounds.
        highest: of the rounds.
        unit: of the three; ``x`` is a ratio.
        at_least: the mark that the median should reach, or None.
        at_most: the mark that it should not pass, or None.
    """

    what: str
    median: float
    lowest: float
    highest: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Returns whether the median is where it should be, None where nothing is asked of it."""
        if self.at_least is None and self.at_most is None:
            return None
        is_high_enough = self.at_least is None or self.median >= self.at_least
        return is_high_enough and (self.at_most is None or self.median <= self.at_most)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one benchmark found.

    Attributes:
        figures: in the order in which they are shown.
        note: what a reader must know of this run; empty where nothing is special.
        details: further numbers for plots and questions; must fit into JSON.
    """

    figures: tuple[Figure, ...] = ()
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def over_rounds(
    what: str,
    values: Sequence[float],
    unit: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Figure:
    """Returns the figure of a quantity that was measured once a round."""
    return Figure(what, statistics.median(values), min(values), max(values), unit, at_least, at_most)
