"""How long a call may take, in ``time.monotonic()`` seconds."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from services.contracts.errors import DeadlineExpired


def deadline_of(context: grpc.aio.ServicerContext, default_seconds: float) -> float:
    """Returns when the client stops waiting for this call.

    Args:
        default_seconds: from now, for a call without a deadline.
    """
    remaining = context.time_remaining()
    return time.monotonic() + (default_seconds if remaining is None else remaining)


@asynccontextmanager
async def ends_by(deadline: float) -> AsyncIterator[None]:
    """Cancels what it encloses at the deadline.

    Raises:
        DeadlineExpired: the deadline came first.
    """
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            yield
    except TimeoutError as error:
        raise DeadlineExpired("the deadline passed") from error
