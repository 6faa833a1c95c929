"""How every call ends: counted while it runs, and with the right status."""

import asyncio
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import grpc

from services.contracts.errors import EngineClosed
from services.contracts.outcomes import Refusal
from services.process.logging import get_logger
from services.process.tracing import Tracing
from services.scoring_api.access.access_control import called_method
from services.scoring_api.access.callers import current_caller
from services.scoring_api.access.connections import Peer, peer_of
from services.scoring_api.access.rate_limits import RateLimits
from services.scoring_api.answers.call_errors import MessageUnreadable, RateExceeded, StreamIdle
from services.scoring_api.answers.error_status import abort_call, refusal_of, row_of

log = get_logger(__name__)


class CallAnswers:
    """Knows the calls in flight and answers their errors.

    Args:
        limits: of each caller.
        on_refusal: told the reason of each call that is turned away.
        tracing: traces every call; None: nobody does.
    """

    def __init__(
        self,
        limits: RateLimits | None = None,
        on_refusal: Callable[[Refusal], None] = lambda _reason: None,
        tracing: Tracing | None = None,
    ) -> None:
        self._limits = limits or RateLimits(0, 1)
        self._on_refusal = on_refusal
        self._tracing = tracing or Tracing.off()
        self._num_calls = 0
        self._peers: Counter[Peer | None] = Counter()  # of the calls in flight
        self.draining = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Returns whether no call is in flight."""
        return self._num_calls == 0

    @property
    def waiting_peers(self) -> Collection[Peer | None]:
        """Returns the clients that wait for an answer."""
        return self._peers.keys()

    def charge(self, num: int) -> None:
        """Charges the caller of this call for more than the call itself.

        Raises:
            RateExceeded: the caller must wait.
        """
        try:
            self._limits.take(current_caller.get().name, num)
        except RateExceeded as error:
            self._on_refusal(refusal_of(error))
            raise

    @asynccontextmanager
    async def answering(self, context: grpc.aio.ServicerContext) -> AsyncIterator[None]:
        """Encloses the whole of a call; an error in it becomes the call's status."""
        if self.draining.is_set():
            # Not counted: refusals must not hold the drain up.
            await abort_call(context, EngineClosed("the API is draining"))
        peer = peer_of(context.peer())
        self._num_calls += 1
        self._peers[peer] += 1
        # Only then has the answer left, too.
        context.add_done_callback(lambda _context: self._forget(peer))
        try:
            self.charge(1)
            with self._tracing.of_call(called_method.get(), context.invocation_metadata() or ()):
                yield
        except grpc.aio.BaseError:
            raise  # the client went away in the middle of an answer; gRPC deals with it
        except Exception as error:
            if isinstance(error, MessageUnreadable | StreamIdle):
                self._on_refusal(refusal_of(error))
            log_fault(error)
            await abort_call(context, error)

    def _forget(self, peer: Peer | None) -> None:
        self._num_calls -= 1
        self._peers[peer] -= 1
        if self._peers[peer] == 0:
            del self._peers[peer]


def log_fault(error: BaseException) -> None:
    """Logs an error that is the server's own, without its text, which may quote a resume."""
    if row_of(error).code is grpc.StatusCode.INTERNAL:
        frames = traceback.extract_tb(error.__traceback__)
        log.error(
            "call failed",
            error=type(error).__name__,
            cause=type(error.__cause__).__name__ if error.__cause__ else None,
            at=[f"{frame.filename}:{frame.lineno}" for frame in frames[-3:]],
        )
