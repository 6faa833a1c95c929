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


class CallerUnknown(ScorerError):
    """A call needs a valid token and has none."""


class TokensUnusable(ScorerError):
    """The tokens file has been unreadable for too long: nobody can be told from anybody."""


class ScopeMissing(ScorerError):
    """The caller is known and may not call this method."""


class RateExceeded(ScorerError):
    """A caller asked more than its rate allows.

    Attributes:
        retry_after_seconds: when it may ask again.
    """

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"too many calls; try again in {retry_after_seconds:.2f} s")
        self.retry_after_seconds = retry_after_seconds


class LabelNotPublished(ScorerError):
    """Kafka could not be reached, or did not confirm the label in time."""
