import hashlib
from dataclasses import replace

import pytest

from services.contracts.scoring import NUM_SCORES, PairRequest, PairScore, ScoreDistribution, StageSeconds
from services.events.wire.message_mapping import job_text, result_message
from services.pb.scoring.v1.score_pb2 import ScoreResult

HALVES = tuple(0.5 if score in (60, 80) else 0.0 for score in range(NUM_SCORES))
SCORE = PairScore(
    request_id="application-7",
    distribution=ScoreDistribution(HALVES),
    adapter_digest="ab" * 32,
    adapter_version="2026-01-05",
    base_model="gemma-3-270m",
    prompt_version="1",
    num_prompt_tokens=612,
    num_truncated_tokens=14,
    flags=("truncated",),
    seconds=StageSeconds(queue=0.004, encode=0.0015, forward=2.25, readout=0.000_001),
)

PAIR = PairRequest("application-7", "Nurse", "Ten years, \ufffd.")


def test_a_job_is_its_title_then_a_blank_line_then_its_description() -> None:
    assert job_text("Nurse", "Cares for patients.") == "Nurse\n\nCares for patients."


@pytest.mark.parametrize("title", ["", "  "])
def test_a_job_without_a_title_is_its_description(title: str) -> None:
    assert job_text(title, "Cares for patients.") == "Cares for patients."


def test_the_result_says_what_the_distribution_says() -> None:
    result = result_message(SCORE, PAIR, job_id="job-3")

    assert result.application_id == "application-7"
    assert result.job_id == "job-3"
    assert result.score == pytest.approx(70)
    assert result.category == "good"
    assert result.median == 60
    assert (result.percentile_10, result.percentile_90) == (60, 80)
    assert result.standard_deviation == pytest.approx(10)


def test_the_result_holds_the_whole_distribution_without_rounding() -> None:
    thirds = tuple(1 / 3 if score in (0, 1, 100) else 0.0 for score in range(NUM_SCORES))

    result = result_message(replace(SCORE, distribution=ScoreDistribution(thirds)), PAIR, job_id="")

    assert tuple(result.distribution) == thirds


def test_the_result_names_what_computed_it() -> None:
    result = result_message(SCORE, PAIR, job_id="")

    assert result.adapter_digest == "ab" * 32
    assert result.adapter_version == "2026-01-05"
    assert result.base_model == "gemma-3-270m"
    assert result.prompt_version == "1"
    assert result.prompt_tokens == 612
    assert result.truncated_tokens == 14
    assert list(result.flags) == ["truncated"]


def test_timings_are_durations() -> None:
    timings = result_message(SCORE, PAIR, job_id="").timings

    assert timings.queue.ToNanoseconds() == 4_000_000
    assert timings.encode.ToNanoseconds() == 1_500_000
    assert (timings.forward.seconds, timings.forward.nanos) == (2, 250_000_000)
    assert timings.readout.ToNanoseconds() == 1_000


def test_apart_from_the_timings_equal_scores_give_equal_messages() -> None:
    first = result_message(SCORE, PAIR, job_id="job-3")
    second = result_message(replace(SCORE, seconds=StageSeconds(queue=9)), PAIR, job_id="job-3")

    first.ClearField("timings")
    second.ClearField("timings")
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)


def test_a_result_survives_the_wire() -> None:
    result = result_message(SCORE, PAIR, job_id="job-3")

    assert ScoreResult.FromString(result.SerializeToString()) == result


def test_the_result_tells_which_texts_were_scored_as_anybody_can_compute_it() -> None:
    result = result_message(SCORE, PAIR, job_id="")

    assert result.resume_sha256 == hashlib.sha256("Ten years, \ufffd.".encode()).hexdigest()
    assert result.job_sha256 == hashlib.sha256(b"Nurse").hexdigest()
