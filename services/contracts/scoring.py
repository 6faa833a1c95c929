"""What goes into the scoring engine and what comes out of it."""

from dataclasses import dataclass, field
from itertools import accumulate
from math import sqrt

from services.contracts.reading import TextReading

MAX_SCORE = 100
NUM_SCORES = MAX_SCORE + 1

# Lowest score of each category, best first.
CATEGORY_FLOORS: tuple[tuple[str, float], ...] = (
    ("excellent", 85.0),
    ("good", 65.0),
    ("fair", 45.0),
    ("poor", 0.0),
)

#: ``adapter_digest`` of a score computed by the base model alone.
BASE_ADAPTER_DIGEST = "base"


def category_of(score: float) -> str:
    """Returns the category of a score.

    Args:
        score: points, 0 to 100.
    """
    return next(name for name, floor in CATEGORY_FLOORS if score >= floor)


@dataclass(frozen=True, slots=True)
class ScoreDistribution:
    """The probability of every score.

    Attributes:
        probabilities: 101 numbers, of the scores 0 to 100 in order, that sum to 1.
    """

    probabilities: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Returns the expected score, in points: what minimises squared error."""
        return sum(score * p for score, p in enumerate(self.probabilities))

    @property
    def standard_deviation(self) -> float:
        """Returns the spread, in points."""
        mean = self.mean
        return sqrt(sum((score - mean) ** 2 * p for score, p in enumerate(self.probabilities)))

    def percentile(self, percent: float) -> int:
        """Returns the smallest score whose cumulative probability reaches ``percent`` of the whole.

        Args:
            percent: 0 to 100.
        """
        wanted = percent / 100 * sum(self.probabilities)
        return next(
            (score for score, reached in enumerate(accumulate(self.probabilities)) if reached >= wanted),
            MAX_SCORE,
        )

    @property
    def median(self) -> int:
        """Returns the 50th percentile: what minimises absolute error."""
        return self.percentile(50)


#: Of a text that cannot be read: every score is as likely as any other.
NO_KNOWLEDGE = ScoreDistribution((1 / NUM_SCORES,) * NUM_SCORES)


@dataclass(frozen=True, slots=True)
class PairRequest:
    """One resume to score against one job.

    Attributes:
        request_id: the caller's id, returned in the result.
        job_description: the job's text, title included.
        resume: the resume's text.
        deadline: ``time.monotonic()`` seconds after which no answer is wanted, or None.
    """

    request_id: str
    job_description: str = field(repr=False)
    resume: str = field(repr=False)
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class StageSeconds:
    """Where the time of one score went, in seconds; forward and readout are those of the whole batch."""

    queue: float = 0.0
    encode: float = 0.0
    forward: float = 0.0
    readout: float = 0.0


@dataclass(frozen=True, slots=True)
class PairScore:
    """The score of one pair and what computed it.

    Attributes:
        request_id: as in the request.
        distribution: the exact distribution of the score.
        adapter_digest: SHA-256 of the adapter that computed it, or ``BASE_ADAPTER_DIGEST``.
        adapter_version: the adapter's version name; empty without one.
        base_model: name of the base model.
        prompt_version: version of the prompt and score scale.
        num_prompt_tokens: tokens of the prompt as scored.
        num_truncated_tokens: tokens cut from the end of the resume.
        num_job_truncated_tokens: tokens cut from the end of the job.
        flags: warnings for the reader.
        is_identity_masked: whether the resume was scored without what tells who its writer is.
        reading: what was done to the resume before.
        seconds: where the time went.
        is_prefix_cached: whether the job's key-value state was found in the cache.
    """

    request_id: str
    distribution: ScoreDistribution
    adapter_digest: str
    adapter_version: str
    base_model: str
    prompt_version: str
    num_prompt_tokens: int
    num_truncated_tokens: int
    num_job_truncated_tokens: int = 0
    flags: tuple[str, ...] = ()
    is_identity_masked: bool = False
    reading: TextReading = field(default_factory=TextReading)
    seconds: StageSeconds = field(default_factory=StageSeconds, compare=False)
    is_prefix_cached: bool = field(default=False, compare=False)

    @property
    def score(self) -> float:
        """Returns the mean of the distribution, in points."""
        return self.distribution.mean

    @property
    def category(self) -> str:
        """Returns the category of the mean."""
        return category_of(self.score)


@dataclass(frozen=True, slots=True)
class LineInfluence:
    """What some neighbouring lines did to the score.

    Attributes:
        first_line: of the resume, from 1.
        last_line: likewise; included.
        points: the score with these lines minus the score without them.
    """

    first_line: int
    last_line: int
    points: float
