"""A client of the gRPC API, for threads (``ScoringClient``) and for asyncio (``AsyncScoringClient``).

Results are the messages of ``proto/scoring/v1`` and not a second set of classes: they are typed by their
stubs, every new field is there at once, and one page documents both ends.
"""

from services.client.async_client import AsyncScoringClient
from services.client.connection import ClientOptions
from services.client.errors import (
    CallFailed,
    CallRefused,
    DeadlinePassed,
    NotAllowed,
    RequestInvalid,
    RequestTooLarge,
    ServerFault,
    ServerOverloaded,
    ServerUnavailable,
)
from services.client.requests import Explanation, Pair
from services.client.sync_client import ScoringClient

__all__ = [
    "AsyncScoringClient",
    "CallFailed",
    "CallRefused",
    "ClientOptions",
    "DeadlinePassed",
    "Explanation",
    "NotAllowed",
    "Pair",
    "RequestInvalid",
    "RequestTooLarge",
    "ScoringClient",
    "ServerFault",
    "ServerOverloaded",
    "ServerUnavailable",
]
