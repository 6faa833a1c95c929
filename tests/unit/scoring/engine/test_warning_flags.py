"""Each warning appears when its cause is there, and only then."""

from services.contracts.reference import ReferenceFigures
from services.contracts.scoring import NUM_SCORES, ScoreDistribution
from services.scoring.engine.warning_flags import (
    JOB_TRUNCATED,
    LOW_CONFIDENCE,
    OUT_OF_DISTRIBUTION,
    TOO_SHORT,
    TRUNCATED,
    warning_flags,
)
from services.scoring.reading.prompt import Prompt

SURE = ScoreDistribution(tuple(1.0 if score == 70 else 0.0 for score in range(NUM_SCORES)))
UNSURE = ScoreDistribution((1 / NUM_SCORES,) * NUM_SCORES)
# Bins: below 256 tokens, 256 to 383, ...
USUALLY_SHORT = ReferenceFigures((100, *[0] * 9), (0, 100, *[0] * 8), 40, 90)


def _prompt(num_tokens: int, num_truncated: int = 0, **lengths: int) -> Prompt:
    lengths = {"num_job_tokens": 40, "num_resume_tokens": 90} | lengths
    return Prompt((1,) * 100, (2,) * (num_tokens - 100), num_truncated, b"1", **lengths)


def test_an_ordinary_result_has_none() -> None:
    assert warning_flags(SURE, _prompt(300), USUALLY_SHORT) == ()


def test_each_cause_has_its_flag() -> None:
    assert warning_flags(SURE, _prompt(300, 5), USUALLY_SHORT) == (TRUNCATED,)
    assert warning_flags(UNSURE, _prompt(300), USUALLY_SHORT) == (LOW_CONFIDENCE,)
    assert warning_flags(SURE, _prompt(900), USUALLY_SHORT) == (OUT_OF_DISTRIBUTION,)
    assert warning_flags(SURE, _prompt(300, num_job_truncated_tokens=1), USUALLY_SHORT) == (JOB_TRUNCATED,)
    assert warning_flags(SURE, _prompt(300, num_job_tokens=39), USUALLY_SHORT) == (TOO_SHORT,)
    assert warning_flags(SURE, _prompt(300, num_resume_tokens=89), USUALLY_SHORT) == (TOO_SHORT,)


def test_without_a_reference_no_length_is_unusual() -> None:
    assert warning_flags(SURE, _prompt(900, num_resume_tokens=1), None) == ()
