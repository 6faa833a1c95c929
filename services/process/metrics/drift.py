"""Notices when what is scored no longer looks like what the adapter was trained on."""

import math
import threading
from collections import deque
from typing import Literal

from services.contracts.reference import (
    NUM_BINS,
    PROMPT_TOKEN_EDGES,
    SCORE_EDGES,
    ReferenceFigures,
    bin_of,
    population_stability_index,
)

DriftFigure = Literal["score", "prompt_tokens"]
DRIFT_FIGURES: tuple[DriftFigure, ...] = ("score", "prompt_tokens")
DEFAULT_DRIFT_WINDOW_SCORES = 1000
#: With fewer of either, chance alone looks like a shift: without one, 200 scores against a reference of 100
#: pairs give 0.13 on average and stay below 0.25 in nineteen of twenty cases (9 degrees of freedom, Yurdakul
#: 2018); 1,000 against 200 give 0.05.
MIN_DRIFT_SCORES = 200
MIN_REFERENCE_PAIRS = 100


class DriftMonitor:
    """Compares the latest scores and prompt lengths with the active adapter's; safe from any thread.

    Args:
        window_scores: how many are compared; older ones are forgotten.
    """

    def __init__(self, window_scores: int = DEFAULT_DRIFT_WINDOW_SCORES) -> None:
        self._lock = threading.Lock()
        self._latest: deque[tuple[int, int]] = deque(maxlen=window_scores)
        self._reference: ReferenceFigures | None = None

    def start_over(self, reference: ReferenceFigures | None) -> None:
        """Forgets all scores: from now on another adapter gives them.

        Args:
            reference: of that adapter, or None where it has none.
        """
        with self._lock:
            self._latest.clear()
            self._reference = reference

    def observe(self, score: float, num_prompt_tokens: int) -> None:
        """Takes one score, in points, and the length of its prompt."""
        bins = bin_of(score, SCORE_EDGES), bin_of(num_prompt_tokens, PROMPT_TOKEN_EDGES)
        with self._lock:
            self._latest.append(bins)

    def index(self, figure: DriftFigure) -> float:
        """Returns the population stability index of a figure.

        NaN below ``MIN_DRIFT_SCORES`` scores, and without a reference of ``MIN_REFERENCE_PAIRS``.
        """
        with self._lock:
            latest, reference = tuple(self._latest), self._reference
        if reference is None or len(latest) < MIN_DRIFT_SCORES:
            return math.nan
        if sum(reference.score) < MIN_REFERENCE_PAIRS:
            return math.nan
        expected = reference.score if figure == "score" else reference.prompt_tokens
        observed = [0] * NUM_BINS
        for bins in latest:
            observed[bins[DRIFT_FIGURES.index(figure)]] += 1
        return population_stability_index(expected, observed)
