"""Every way in which a call can fail.

    CallFailed
    ├── RequestInvalid     a field breaks a limit; names it
    │   └── RequestTooLarge  the whole is larger than one call may be
    ├── NotAllowed         no valid token, or one without the needed scope
    ├── ServerOverloaded   no room before the deadline; tells when to try again, where the server did
    ├── ServerUnavailable  no server answers, after all retries
    ├── DeadlinePassed     no answer in time
    ├── ServerFault        the server, or the model, has a fault
    └── CallRefused        any other code

No message holds any text of a resume or a job.
"""

from typing import TypeVar

from google.protobuf.message import Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc import RpcError, StatusCode
from grpc_status import rpc_status

from services.contracts.errors import FieldViolation, ScorerError

M = TypeVar("M", bound=Message)


class CallFailed(ScorerError):
    """A call did not bring what was asked for.

    Attributes:
        code: name of the gRPC status code, such as ``INVALID_ARGUMENT``.
        reason: the server's reason in upper case, such as ``FIELD_LIMITS``; empty where it gave none.
    """

    def __init__(self, code: str, message: str, reason: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.reason = reason


class RequestInvalid(CallFailed):
    """The request breaks a limit.

    Attributes:
        violations: the fields at fault, such as ``candidates[3].resume``; the server tells the first 16.
    """

    def __init__(
        self, code: str, message: str, reason: str = "", violations: tuple[FieldViolation, ...] = ()
    ) -> None:
        super().__init__(code, message, reason)
        self.violations = violations


class RequestTooLarge(RequestInvalid):
    """The request is larger than one call may be: trying again cannot help, several smaller calls can."""


class ServerOverloaded(CallFailed):
    """The server has no room, or the caller asked too much.

    Attributes:
        retry_after_seconds: when to try again; None where the server did not say.
    """

    def __init__(
        self, code: str, message: str, reason: str = "", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(code, message, reason)
        self.retry_after_seconds = retry_after_seconds


class NotAllowed(CallFailed):
    """The token is missing, unknown, or has not the scope that the call needs."""


class ServerUnavailable(CallFailed):
    """No server could be reached, or what the call needs is away; it was tried several times."""


class DeadlinePassed(CallFailed):
    """The answer did not come in time."""


class ServerFault(CallFailed):
    """The server, or the model on this pair, has a fault; trying again will hardly help."""


class CallRefused(CallFailed):
    """The call ended in a code of which the API makes no use of its own."""


# gRPC refuses such a message itself, with the code of overload and no details but its words.
_TOO_LARGE = "Received message larger than max"

_KINDS: dict[StatusCode, type[CallFailed]] = {
    StatusCode.UNAUTHENTICATED: NotAllowed,
    StatusCode.PERMISSION_DENIED: NotAllowed,
    StatusCode.UNAVAILABLE: ServerUnavailable,
    StatusCode.DEADLINE_EXCEEDED: DeadlinePassed,
    StatusCode.INTERNAL: ServerFault,
    StatusCode.UNKNOWN: ServerFault,
    StatusCode.DATA_LOSS: ServerFault,
}


def failure_of(error: RpcError) -> CallFailed:
    """Returns what a call that ended in ``error`` is answered with."""
    code: StatusCode = error.code()
    status = rpc_status.from_call(error) or Status()
    info = _detail(status, error_details_pb2.ErrorInfo())
    told = (code.name, error.details() or "no details", info.reason if info else "")
    if code is StatusCode.INVALID_ARGUMENT:
        request = _detail(status, error_details_pb2.BadRequest())
        violations = request.field_violations if request else ()
        return RequestInvalid(
            *told, tuple(FieldViolation(each.field, each.description) for each in violations)
        )
    if code is StatusCode.RESOURCE_EXHAUSTED and not info and _TOO_LARGE in (error.details() or ""):
        return RequestTooLarge(*told)
    if code is StatusCode.RESOURCE_EXHAUSTED:
        retry = _detail(status, error_details_pb2.RetryInfo())
        return ServerOverloaded(*told, retry.retry_delay.ToMilliseconds() / 1000 if retry else None)
    return _KINDS.get(code, CallRefused)(*told)


def _detail(status: Status, empty: M) -> M | None:
    return next((empty for each in status.details if each.Unpack(empty)), None)
