"""Lets in only calls that may be made, before their message is even read."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from services.contracts.errors import ScorerError
from services.pb.scoring.v1 import adapter_service_pb2, feedback_service_pb2, scoring_service_pb2
from services.scoring_api.callers import ANONYMOUS, Caller, KnownCallers, Scope, current_caller
from services.scoring_api.error_status import row_of, status_of

SCOPES: dict[str, Scope | None] = {
    scoring_service_pb2.DESCRIPTOR.services_by_name["ScoringService"].full_name: "score",
    feedback_service_pb2.DESCRIPTOR.services_by_name["FeedbackService"].full_name: "feedback",
    adapter_service_pb2.DESCRIPTOR.services_by_name["AdapterService"].full_name: "admin",
    reflection.SERVICE_NAME: None,  # any caller that is known
}
# Probes of load balancers and of Kubernetes bring no token.
OPEN_SERVICES = frozenset({health_pb2.DESCRIPTOR.services_by_name["Health"].full_name})


#: The running call's method, such as ``scoring.v1.ScoringService/Score``; a call's own context does not tell.
called_method: ContextVar[str] = ContextVar("called_method", default="unknown")


class AccessControl(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Asks every call for the token that its service needs.

    Args:
        callers: knows the tokens.
        on_refusal: told the reason of each call that is turned away.
    """

    def __init__(self, callers: KnownCallers, on_refusal: Callable[[str], None]) -> None:
        self._callers = callers
        self._on_refusal = on_refusal

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Goes on with the call, or answers it with UNAUTHENTICATED or PERMISSION_DENIED."""
        service = handler_call_details.method.rpartition("/")[0].removeprefix("/")
        if service not in OPEN_SERVICES:
            metadata = handler_call_details.invocation_metadata or ()
            given = next((str(value) for key, value in metadata if key == "authorization"), None)
            try:
                # A service that is new and not in the table is for administrators until it is.
                caller = self._callers.admit(given, SCOPES.get(service, "admin"))
            except ScorerError as error:
                self._on_refusal(row_of(error).reason.lower())
                return _refusing(error)
            current_caller.set(caller)
            called_method.set(handler_call_details.method.removeprefix("/"))
        return await continuation(handler_call_details)


def _refusing(error: ScorerError) -> Any:
    status = rpc_status.to_status(status_of(error))

    async def refuse(_requests: Any, context: grpc.aio.ServicerContext) -> None:
        await context.abort(status.code, status.details, status.trailing_metadata)

    # A handler of streams, whatever the method is: it waits for no message.
    return grpc.stream_stream_rpc_method_handler(refuse)


def identify(context: grpc.aio.ServicerContext) -> Caller:
    """Returns who calls; without a token, by the client's certificate or by its address."""
    caller = current_caller.get()
    if caller.name != ANONYMOUS:
        return caller
    identities = context.peer_identities()
    if identities:
        return Caller(f"certificate:{next(iter(identities)).decode('utf-8', 'replace')}", caller.scopes)
    # Without the port, which is another one for each connection.
    return Caller(f"{ANONYMOUS}@{context.peer().rpartition(':')[0]}", caller.scopes)
