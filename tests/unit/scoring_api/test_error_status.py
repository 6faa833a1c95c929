import inspect

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo

from services.contracts import errors
from services.contracts.errors import (
    EngineOverloaded,
    FieldViolation,
    InvalidInput,
    ScorerError,
    ScoringFailed,
)
from services.contracts.outcomes import DeadLetterKind, Outcome, Refusal
from services.scoring_api.answers.error_status import (
    _ROWS,
    MAX_TOLD_VIOLATIONS,
    message_of,
    outcome_of,
    row_of,
    status_of,
)

# What stops a command or the start of a process never becomes an answer.
START_ERRORS = {
    "ScorerError",
    "BrokerUnreachable",
    "SettingsInvalid",
    "ModelUnavailable",
    "AdapterIncompatible",
}
ANSWERED = [
    kind
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, ScorerError) and name not in START_ERRORS
]


@pytest.mark.parametrize("kind", ANSWERED)
def test_every_error_of_the_scorer_has_a_row_of_its_own(kind: type[ScorerError]) -> None:
    row = row_of(kind.__new__(kind))

    assert row.reason != "INTERNAL_ERROR"
    assert row.reason == row.reason.upper()


def test_an_unknown_error_is_a_fault_of_the_server() -> None:
    assert row_of(KeyError("x")).code is grpc.StatusCode.INTERNAL
    assert outcome_of(KeyError("x")) is Outcome.INTERNAL_ERROR


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_is_the_reason_of_an_error(refusal: Refusal) -> None:
    assert refusal.upper() in {row.reason for row in _ROWS.values()}


def test_a_pair_is_counted_as_its_error_says() -> None:
    assert outcome_of(EngineOverloaded(1.0)) is Outcome.OVERLOADED
    assert outcome_of(InvalidInput(DeadLetterKind.FIELD_LIMITS, [])) is Outcome.INVALID_INPUT
    assert outcome_of(ScoringFailed("x")) is Outcome.SCORING_FAILED


def test_a_kind_of_a_known_error_is_answered_like_it() -> None:
    class OutOfMemory(ScoringFailed):
        pass

    assert row_of(OutOfMemory("x")) == row_of(ScoringFailed("x"))


def test_a_status_carries_its_details() -> None:
    status = status_of(EngineOverloaded(0.25))

    info, retry = ErrorInfo(), RetryInfo()
    assert status.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(retry)
    assert info.reason == "ENGINE_OVERLOADED"
    assert retry.retry_delay.ToMilliseconds() == 250


def test_a_retry_is_never_asked_for_at_once() -> None:
    retry = RetryInfo()

    assert status_of(EngineOverloaded(0.0)).details[1].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() >= 1


def test_the_message_names_the_first_violation_and_counts_the_rest() -> None:
    violations = [FieldViolation(f"candidates[{index}].resume", "is required") for index in range(3)]

    message = message_of(InvalidInput("field_limits", violations))

    assert message == "the request breaks a limit: candidates[0].resume: is required (and 2 more)"


def test_only_so_many_violations_are_told_as_fit_into_headers() -> None:
    violations = [FieldViolation(f"candidates[{index}].resume", "is required") for index in range(256)]
    status = status_of(InvalidInput("field_limits", violations))

    told = BadRequest()
    assert status.details[1].Unpack(told)
    assert len(told.field_violations) == MAX_TOLD_VIOLATIONS
    assert status.ByteSize() < 4096


def test_the_words_of_an_error_are_not_repeated() -> None:
    assert "Maria" not in str(status_of(ScoringFailed("Maria's resume")))
    assert "Maria" not in str(status_of(ValueError("Maria's resume")))
