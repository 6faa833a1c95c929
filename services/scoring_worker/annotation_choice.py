"""Which scored applications people are asked to label: the least certain of each stretch of time.

Uncertainty sampling, see Settles, "Active Learning Literature Survey" (2009), section 3.1. Two measures take
turns, since no scale joins them: the widest distributions, where the model knows little, and the means
nearest to the border of a category for their width, where a label decides most.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from services.contracts.outcomes import AnnotationReason
from services.contracts.scoring import CATEGORY_FLOORS

ANNOTATION_REASONS = tuple(AnnotationReason)
_BOUNDARIES = tuple(floor for _, floor in CATEGORY_FLOORS if floor > 0)
_SECONDS_AN_HOUR = 3600.0
# Three weeks at 20 an hour; older ones are labelled by then, or nobody wants to.
_NUM_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class ScoredApplication:
    """What the choice needs to know of a score.

    Attributes:
        application_id: whose.
        job_id: of its job; empty where the job came inline.
        score: mean of the distribution, in points.
        standard_deviation: of the distribution, in points.
        adapter_digest: of the adapter that gave it.
    """

    application_id: str
    job_id: str
    score: float
    standard_deviation: float
    adapter_digest: str

    def uncertainty(self, reason: AnnotationReason) -> float:
        """Returns how uncertain it is by one measure; more is less certain, in the measure's own unit."""
        if reason is AnnotationReason.STANDARD_DEVIATION:
            return self.standard_deviation
        return -category_margin(self.score, self.standard_deviation)


@dataclass(frozen=True, slots=True)
class AnnotationChoice:
    """An application to be labelled, and why."""

    application: ScoredApplication
    reason: AnnotationReason


class AnnotationChooser:
    """Takes scores as they come and gives, at the end of each interval, the least certain of them.

    An hour has as many intervals as requests are allowed, so that no hour sees more, and an application that
    comes late in the hour has the same chance as one that comes first.

    Args:
        requests_per_hour: at least one.
        clock: seconds, never falling.
        num_remembered: applications that were chosen and are not chosen again; the oldest are forgotten.
    """

    def __init__(
        self, requests_per_hour: int, clock: Callable[[], float], num_remembered: int = _NUM_REMEMBERED
    ) -> None:
        self._interval_seconds = _SECONDS_AN_HOUR / requests_per_hour
        self._clock = clock
        self._num_remembered = num_remembered
        self._chosen: OrderedDict[str, None] = OrderedDict()
        self._best: dict[AnnotationReason, ScoredApplication] = {}
        self._turn = 0
        self._ends_at = clock() + self._interval_seconds

    @property
    def seconds_left(self) -> float:
        """Returns how long the interval still lasts; 0 when it is over."""
        return max(0.0, self._ends_at - self._clock())

    def offer(self, application: ScoredApplication) -> None:
        """Considers one score; costs the same however many came before."""
        if application.standard_deviation <= 0 or application.application_id in self._chosen:
            return
        for reason in ANNOTATION_REASONS:
            best = self._best.get(reason)
            if best is None or application.uncertainty(reason) > best.uncertainty(reason):
                self._best[reason] = application

    def take(self) -> AnnotationChoice | None:
        """Returns the choice of the interval that is over, and begins the next.

        None while it is not over, and where nothing uncertain came in it.
        """
        if self.seconds_left > 0:
            return None
        # From now on, not from when it was due: a late caller must not get two at once.
        self._ends_at = self._clock() + self._interval_seconds
        reason = ANNOTATION_REASONS[self._turn]
        best, self._best = self._best.get(reason), {}
        if best is None:
            return None
        self._turn = (self._turn + 1) % len(ANNOTATION_REASONS)
        self._chosen[best.application_id] = None
        if len(self._chosen) > self._num_remembered:
            self._chosen.popitem(last=False)
        return AnnotationChoice(best, reason)


def category_margin(score: float, standard_deviation: float) -> float:
    """Returns how far a mean is from the nearest border between categories, in standard deviations.

    Args:
        score: mean, in points.
        standard_deviation: in points, above 0.
    """
    return min(abs(score - boundary) for boundary in _BOUNDARIES) / standard_deviation
