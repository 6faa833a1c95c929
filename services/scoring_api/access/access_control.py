"""Lets in only calls that may be made, before their message is even read."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import grpc

from services.contracts.errors import ScorerError
from services.contracts.outcomes import Refusal
from services.pb.scoring.v1 import adapter_service_pb2, feedback_service_pb2, scoring_service_pb2
from services.scoring_api.access.call_entry import CallEntry
from services.scoring_api.access.call_pools import HEALTH_SERVICE, CallPools
from services.scoring_api.access.callers import Scope, current_caller
from services.scoring_api.access.known_callers import KnownCallers
from services.scoring_api.access.reflection_services import REFLECTION_SERVICES
from services.scoring_api.answers.error_status import abort_call, refusal_of

SCOPES: dict[str, Scope | None] = {
    scoring_service_pb2.DESCRIPTOR.services_by_name["ScoringService"].full_name: "score",
    feedback_service_pb2.DESCRIPTOR.services_by_name["FeedbackService"].full_name: "feedback",
    adapter_service_pb2.DESCRIPTOR.services_by_name["AdapterService"].full_name: "admin",
    **dict.fromkeys(REFLECTION_SERVICES),  # any caller that is known
}
# Probes of load balancers and of Kubernetes bring no token.
OPEN_SERVICES = frozenset({HEALTH_SERVICE})


#: The running call's method, such as ``scoring.v1.ScoringService/Score``; a call's own context does not tell.
called_method: ContextVar[str] = ContextVar("called_method", default="unknown")


class AccessControl(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Asks every call for the token that its service needs.

    Args:
        callers: knows the tokens.
        pools: have a place for each call.
        entry: takes the calls that may be made.
        on_refusal: told the reason of each call that is turned away.
    """

    def __init__(
        self, callers: KnownCallers, pools: CallPools, entry: CallEntry, on_refusal: Callable[[Refusal], None]
    ) -> None:
        self._callers = callers
        self._pools = pools
        self._entry = entry
        self._on_refusal = on_refusal

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Goes on with the call, or answers it with UNAUTHENTICATED or PERMISSION_DENIED."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None  # UNIMPLEMENTED, whoever asks: tools try names until they find one
        method = handler_call_details.method.removeprefix("/")
        service = method.rpartition("/")[0]
        if service not in OPEN_SERVICES:
            metadata = handler_call_details.invocation_metadata or ()
            given = next((str(value) for key, value in metadata if key == "authorization"), None)
            try:
                # A service that is new and not in the table is for administrators until it is.
                current_caller.set(self._callers.admit(given, SCOPES.get(service, "admin")))
            except ScorerError as error:
                self._on_refusal(refusal_of(error))
                return _refusing(error)
            called_method.set(method)
        return self._entry.guarded(handler, self._pools.of(method))


def _refusing(error: ScorerError) -> Any:
    async def refuse(_requests: Any, context: grpc.aio.ServicerContext) -> None:
        await abort_call(context, error)

    # A handler of streams, whatever the method is: it waits for no message.
    return grpc.stream_stream_rpc_method_handler(refuse)
