import math
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor

from services.client.requests import MAX_REQUEST_BYTES
from services.contracts.errors import InvalidInput
from services.events.wire.message_limits import check_limits, violations_of
from services.pb.scoring.v1 import adapter_service_pb2, feedback_service_pb2, scoring_service_pb2
from services.pb.scoring.v1.adapter_service_pb2 import ListAdaptersResponse
from services.pb.scoring.v1.events_pb2 import AdapterPublished, ApplicationSubmitted, InlineJob, ScoreLabelled
from services.pb.scoring.v1.feedback_service_pb2 import SubmitLabelRequest
from services.pb.scoring.v1.field_limits_pb2 import limits, max_message_bytes
from services.pb.scoring.v1.scoring_service_pb2 import (
    Candidate,
    ExplainRequest,
    RankCandidatesRequest,
    ScoreRequest,
    StreamScoresRequest,
)
from services.process.settings import Settings

SERVICE_FILES = tuple(
    each.DESCRIPTOR for each in (adapter_service_pb2, feedback_service_pb2, scoring_service_pb2)
)
JOB = InlineJob(title="Nurse", description="Cares for patients.")


def application(**changes: Any) -> ApplicationSubmitted:
    return ApplicationSubmitted(
        **{"application_id": "a-1", "job_id": "j-1", "resume": "Ten years."} | changes
    )


def label(**changes: Any) -> ScoreLabelled:
    return ScoreLabelled(**{"application_id": "a-1", "rater": "r-1", "score": 70} | changes)


def found(message: Any) -> list[tuple[str, str]]:
    return [(violation.field, violation.description) for violation in violations_of(message)]


def largest_size(descriptor: Descriptor) -> int:
    """Returns how many bytes a message may take at most, by its own limit or those of its fields."""
    if own := descriptor.GetOptions().Extensions[max_message_bytes]:
        return int(own)
    total = 0
    for field in descriptor.fields:
        allowed = field.GetOptions().Extensions[limits]
        inner = largest_size(field.message_type) if field.message_type else allowed.max_bytes
        total += (inner + 16) * (allowed.max_items or 1)
    return total


def test_every_request_within_its_limits_is_a_message_that_the_server_reads() -> None:
    services = (each for file in SERVICE_FILES for each in file.services_by_name.values())
    sizes = {
        method.input_type.name: largest_size(method.input_type)
        for each in services
        for method in each.methods
    }

    assert len(sizes) > 6
    assert max(sizes.values()) == Settings().grpc_max_message_bytes == MAX_REQUEST_BYTES


def test_a_message_within_its_limits_has_no_violations() -> None:
    assert violations_of(application()) == ()
    assert violations_of(label(category="good")) == ()
    check_limits(ScoreRequest(job=JOB, resume="Ten years."))


@pytest.mark.parametrize("resume", ["", "   ", "\n\t\r\n", "\u00a0\u2003"])
def test_required_text_must_hold_more_than_white_space(resume: str) -> None:
    assert found(application(resume=resume)) == [("resume", "is required")]


def test_a_required_message_must_be_present() -> None:
    assert found(ScoreRequest(resume="Ten years.")) == [("job", "is required")]


def test_an_absent_optional_message_is_not_looked_into() -> None:
    assert not application().HasField("job")
    assert found(application()) == []


def test_a_present_message_is_looked_into_even_when_empty() -> None:
    assert found(application(job=InlineJob())) == [("job.description", "is required")]


def test_length_counts_utf8_bytes_and_not_characters() -> None:
    assert found(application(application_id="é" * 128)) == []
    assert found(application(application_id="é" * 129)) == [("application_id", "is longer than 256 bytes")]


def test_a_resume_may_have_exactly_its_limit() -> None:
    assert found(application(resume="x" * 262_144)) == []
    assert found(application(resume="x" * 262_145)) == [("resume", "is longer than 262144 bytes")]


@pytest.mark.parametrize("identifier", ["a b", " a", "a\n", "a\x00", "a\u200e", "a\u00a0b", "\x1b[31m"])
def test_an_identifier_holds_neither_white_space_nor_unprintable_characters(identifier: str) -> None:
    expected = [("application_id", "holds white space or characters that cannot be printed")]

    assert found(application(application_id=identifier)) == expected


def test_an_optional_identifier_may_be_empty() -> None:
    assert found(ScoreRequest(job=JOB, resume="Ten years.")) == []


def test_an_identifier_may_use_any_script() -> None:
    assert found(application(application_id="申請-42/Ärzte")) == []


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_bounded_number_must_be_finite(score: float) -> None:
    assert found(label(score=score)) == [("score", "is not a finite number")]


@pytest.mark.parametrize(("score", "problem"), [(-0.01, "is below 0"), (100.01, "is above 100")])
def test_a_number_must_lie_between_its_bounds(score: float, problem: str) -> None:
    assert found(label(score=score)) == [("score", problem)]


@pytest.mark.parametrize("score", [0, 100])
def test_the_bounds_themselves_are_allowed(score: float) -> None:
    assert found(label(score=score)) == []


def test_a_missing_optional_number_is_fine() -> None:
    assert found(ScoreLabelled(application_id="a-1", rater="r-1", category="poor")) == []


def test_an_integer_is_bounded_too() -> None:
    request = ScoreRequest(job=JOB, resume="Ten years.")

    assert found(ExplainRequest(request=request, max_tokens=513)) == [("max_tokens", "is above 512")]


def test_text_must_be_one_of_the_named_values() -> None:
    assert found(label(category="Good")) == [("category", "is none of excellent, good, fair, poor")]


def test_paths_lead_through_messages_and_repeated_fields() -> None:
    good = Candidate(application_id="a-1", resume="Ten years.")
    request = RankCandidatesRequest(job=InlineJob(), candidates=[good, good, good, Candidate(resume=" ")])

    assert found(request) == [
        ("job.description", "is required"),
        ("candidates[3].application_id", "is required"),
        ("candidates[3].resume", "is required"),
    ]


def test_paths_lead_through_two_levels() -> None:
    assert found(StreamScoresRequest(request=ScoreRequest(job=JOB))) == [("request.resume", "is required")]
    assert found(SubmitLabelRequest(label=label(rater="a b")))[0][0] == "label.rater"


def test_a_required_list_needs_an_element() -> None:
    assert found(RankCandidatesRequest(job=JOB)) == [("candidates", "needs at least one element")]


def test_a_list_that_is_too_long_is_named_once_and_not_looked_into() -> None:
    request = RankCandidatesRequest(job=JOB, candidates=[Candidate()] * 257)

    assert found(request) == [("candidates", "holds more than 256 elements")]


def test_a_map_of_numbers_is_no_obstacle() -> None:
    adapter = AdapterPublished(
        name="n", version="v", store_uri="file:///x", digest="d", base_model="b", prompt_version="1"
    )
    adapter.metrics["mean_absolute_error"] = 3.5

    assert found(ListAdaptersResponse(adapters=[adapter])) == []


def test_several_problems_are_all_told() -> None:
    assert len(found(application(application_id="x " * 200, resume=""))) == 3


def test_the_error_names_fields_and_never_values() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_limits(application(application_id="secret name", job_id="another secret"))

    assert caught.value.kind == "field_limits"
    assert [violation.field for violation in caught.value.violations] == ["application_id", "job_id"]
    assert "secret" not in str(caught.value)
