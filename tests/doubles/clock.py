"""A clock that a test moves."""


class Clock:
    """Tells a time in seconds when it is called; ``now`` is the test's to set."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
