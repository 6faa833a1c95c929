"""Who calls: a token's caller, a certificate's, or an address."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

import grpc

Scope = Literal["score", "feedback", "admin"]
OPEN_SCOPES: frozenset[Scope] = frozenset({"score", "feedback"})
ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a call comes from.

    Attributes:
        name: as in the tokens file; never taken from the request itself.
        scopes: what the caller may do.
    """

    name: str
    scopes: frozenset[Scope]


NOBODY = Caller(ANONYMOUS, OPEN_SCOPES)
#: The caller of the running call; tasks that a call starts inherit it.
current_caller: ContextVar[Caller] = ContextVar("current_caller", default=NOBODY)


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
