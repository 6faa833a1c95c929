"""Why a call is turned away before its method sees it, or ends while nobody does anything."""

from services.contracts.errors import ScorerError

# A call ends within a batch or two, and then there is room again.
RETRY_AFTER_SECONDS = 1.0


class TooManyCalls(ScorerError):
    """As many calls are open as there may be, in all or of this caller.

    Attributes:
        retry_after_seconds: when there may be room again.
    """

    def __init__(self) -> None:
        super().__init__(f"too many calls at once; try again in {RETRY_AFTER_SECONDS:.2f} s")
        self.retry_after_seconds = RETRY_AFTER_SECONDS


class MessageUnreadable(ScorerError):
    """What came is no message of the method, or nothing came."""


class StreamIdle(ScorerError):
    """A stream was open for too long in which nothing was sent, or no answer was taken."""
