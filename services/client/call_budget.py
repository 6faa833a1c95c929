"""How long a call may still take, and when it may be tried again.

UNAVAILABLE is gRPC's own affair (``connection.RETRY_POLICY``); it knows nothing of RetryInfo, so a refusal
that tells when there will be room again is waited for here.
"""

import random
import time

from grpc import RpcError

from services.client.errors import ServerOverloaded, failure_of

# Up to so much is added to the server's hint, so that clients refused together do not come back together.
JITTER = 0.25


class CallBudget:
    """The time of one call with all its attempts."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        """Returns what the next attempt may take."""
        return max(0.0, self._ends_at - time.monotonic())

    def pause_before_retry(self, error: RpcError) -> float:
        """Returns how long to wait before the next attempt, in seconds.

        Raises:
            CallFailed: trying again cannot help, or not before the deadline; waiting for it would be vain.
        """
        failure = failure_of(error)
        hint = failure.retry_after_seconds if isinstance(failure, ServerOverloaded) else None
        pause = jittered(hint or 0.0)
        if hint is None or pause >= self.seconds_left:
            raise failure from error
        return pause


def jittered(seconds: float) -> float:
    """Returns a pause and up to ``JITTER`` of it more."""
    return seconds * random.uniform(1, 1 + JITTER)  # noqa: S311  (not for secrets)
