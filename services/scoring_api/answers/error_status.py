"""The one table from errors of this project to canonical gRPC codes and ``google.rpc`` details."""

from dataclasses import dataclass

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from services.contracts.errors import (
    AdapterIncompatible,
    AdapterNotFound,
    AdapterStoreUnreachable,
    AuditLogUnwritable,
    BrokerUnreachable,
    DeadlineExpired,
    EngineClosed,
    EngineOverloaded,
    InvalidInput,
    ScorerError,
    ScoringFailed,
)
from services.contracts.outcomes import Outcome, Refusal
from services.scoring_api.answers.call_errors import (
    CallerUnknown,
    LabelNotPublished,
    MessageUnreadable,
    RateExceeded,
    ScopeMissing,
    StreamIdle,
    TokensUnusable,
    TooManyCalls,
)

DOMAIN = "resume-scorer"
# Trailers travel as HTTP headers, which clients cap at 8 KB.
MAX_TOLD_VIOLATIONS = 16


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """How one kind of error is answered.

    Attributes:
        code: the canonical code.
        reason: of ErrorInfo; for an InvalidInput its kind takes this place.
        message: fixed text, so that nothing of a pair can slip into it.
    """

    code: grpc.StatusCode
    reason: str
    message: str


_ROWS: dict[type[BaseException], ErrorRow] = {
    InvalidInput: ErrorRow(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_INPUT", "the request breaks a limit"),
    EngineOverloaded: ErrorRow(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "ENGINE_OVERLOADED",
        "the queue is full, or too long for the deadline",
    ),
    DeadlineExpired: ErrorRow(
        grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXPIRED", "the deadline has passed"
    ),
    EngineClosed: ErrorRow(
        grpc.StatusCode.UNAVAILABLE, "ENGINE_CLOSED", "this server is stopping; try another one"
    ),
    ScoringFailed: ErrorRow(grpc.StatusCode.INTERNAL, "SCORING_FAILED", "this pair could not be scored"),
    AdapterNotFound: ErrorRow(
        grpc.StatusCode.NOT_FOUND, "ADAPTER_NOT_FOUND", "the store has no such adapter"
    ),
    AdapterIncompatible: ErrorRow(
        grpc.StatusCode.FAILED_PRECONDITION,
        "ADAPTER_INCOMPATIBLE",
        "the stored adapter is damaged or does not fit",
    ),
    AdapterStoreUnreachable: ErrorRow(
        grpc.StatusCode.UNAVAILABLE, "ADAPTER_STORE_UNAVAILABLE", "the adapter store is away"
    ),
    BrokerUnreachable: ErrorRow(
        grpc.StatusCode.UNAVAILABLE, "KAFKA_UNAVAILABLE", "Kafka cannot be reached; try again"
    ),
    AuditLogUnwritable: ErrorRow(
        grpc.StatusCode.UNAVAILABLE,
        "AUDIT_LOG_UNAVAILABLE",
        "scores cannot be noted at the moment; try again",
    ),
    CallerUnknown: ErrorRow(
        grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", "a valid bearer token is needed"
    ),
    TokensUnusable: ErrorRow(
        grpc.StatusCode.UNAVAILABLE,
        "TOKENS_UNAVAILABLE",
        "tokens cannot be checked at the moment; try again",
    ),
    ScopeMissing: ErrorRow(
        grpc.StatusCode.PERMISSION_DENIED,
        "PERMISSION_DENIED",
        "no token of the needed scope was given, or none is set up",
    ),
    RateExceeded: ErrorRow(
        grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_EXCEEDED", "too many calls; try again later"
    ),
    TooManyCalls: ErrorRow(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "TOO_MANY_CALLS",
        "too many calls at once; try again later",
    ),
    MessageUnreadable: ErrorRow(
        grpc.StatusCode.INVALID_ARGUMENT,
        "MESSAGE_UNREADABLE",
        "what was sent is no message of this method",
    ),
    StreamIdle: ErrorRow(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "STREAM_IDLE",
        "the stream was open for too long without a message",
    ),
    LabelNotPublished: ErrorRow(
        grpc.StatusCode.UNAVAILABLE,
        "KAFKA_UNAVAILABLE",
        "the label could not be written; try again",
    ),
}
_BUG = ErrorRow(grpc.StatusCode.INTERNAL, "INTERNAL_ERROR", "the server has a fault")


def row_of(error: BaseException) -> ErrorRow:
    """Returns how an error is answered; an unknown one is a fault of the server."""
    return next((_ROWS[kind] for kind in type(error).__mro__ if kind in _ROWS), _BUG)


def status_of(error: BaseException) -> Status:
    """Returns the status with its details: ErrorInfo always, BadRequest or RetryInfo where they apply."""
    row = row_of(error)
    details: list[Message] = [error_details_pb2.ErrorInfo(reason=_reason_of(error, row), domain=DOMAIN)]
    if isinstance(error, InvalidInput):
        details.append(_bad_request(error))
    delay = retry_delay_of(error)
    if delay is not None:
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    return Status(
        code=row.code.value[0], message=message_of(error), details=[_packed(each) for each in details]
    )


def outcome_of(error: BaseException) -> Outcome:
    """Returns as what a pair that ended with an error is counted."""
    return error.outcome if isinstance(error, ScorerError) else Outcome.INTERNAL_ERROR


def refusal_of(error: BaseException) -> Refusal:
    """Returns as what a call that an error turned away is counted.

    Raises:
        ValueError: errors of this type turn no call away.
    """
    return Refusal(row_of(error).reason.lower())


async def abort_call(context: grpc.aio.ServicerContext, error: BaseException) -> None:
    """Ends a call with the status of an error; what runs it is left by an exception of gRPC's."""
    status = rpc_status.to_status(status_of(error))
    await context.abort(status.code, status.details, status.trailing_metadata)


def retry_delay_of(error: BaseException) -> Duration | None:
    """Returns when to try again, a millisecond at least; None where the error does not say."""
    if not isinstance(error, EngineOverloaded | RateExceeded | TooManyCalls):
        return None
    delay = Duration()
    delay.FromMilliseconds(max(1, round(error.retry_after_seconds * 1000)))
    return delay


def message_of(error: BaseException) -> str:
    """Returns one sentence for people that holds no text of the pair."""
    message = row_of(error).message
    if isinstance(error, InvalidInput) and error.violations:
        first, *more = error.violations
        rest = f" (and {len(more)} more)" if more else ""
        return f"{message}: {first.field}: {first.description}{rest}"
    return message


def _reason_of(error: BaseException, row: ErrorRow) -> str:
    return error.kind.upper() if isinstance(error, InvalidInput) else row.reason


def _bad_request(error: InvalidInput) -> error_details_pb2.BadRequest:
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field=each.field, description=each.description)
            for each in error.violations[:MAX_TOLD_VIOLATIONS]
        ]
    )


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
