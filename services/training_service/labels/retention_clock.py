"""The time that retention goes by: this machine's clock, unless it has jumped ahead.

A clock that is set years ahead, by a mistake or a dead battery, would make every label too old at once. The
newest record alone cannot tell: on one machine its time comes from the same clock, and in a quiet year
there is none. Nor can the monotonic clock, which begins anew with the process. So the last believed time is
kept in the store, goes on with the monotonic clock, and a greater step is believed only after it has stood
for a while.
"""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from services.process.logging import get_logger
from services.training_service.database import Database

log = get_logger(__name__)

SECONDS_PER_DAY = 86_400.0
# Of a step ahead: what a trainer may be switched off for, and little beside any retention.
MAX_STEP_SECONDS = 7 * SECONDS_PER_DAY
# Of the trainer's own running time: for people to see the warning and set the clock right.
DOUBT_SECONDS = 7 * SECONDS_PER_DAY


@dataclass(frozen=True, slots=True)
class ClockState:
    """What is known of the clock.

    Attributes:
        believed_time: seconds since 1970.
        doubted_seconds: for how long the machine's clock has been too far ahead of it, while the trainer ran.
    """

    believed_time: float
    doubted_seconds: float = 0.0


def next_state(state: ClockState, now: float, elapsed_seconds: float) -> ClockState:
    """Returns what to believe after a look at the clock; pure.

    Args:
        now: of the machine's clock, in seconds since 1970.
        elapsed_seconds: since the look before, by the monotonic clock; 0 where this process made none.
    """
    expected = state.believed_time + elapsed_seconds
    if now <= expected + MAX_STEP_SECONDS:
        return ClockState(now)
    doubted_seconds = state.doubted_seconds + elapsed_seconds
    return ClockState(now) if doubted_seconds >= DOUBT_SECONDS else ClockState(expected, doubted_seconds)


class RetentionClock:
    """Keeps the believed time in the trainer's store; one a process.

    Args:
        wall: the machine's clock, in seconds since 1970.
        monotonic: a clock that nobody sets, in seconds.

    Attributes:
        ahead_seconds: how far the machine's clock was ahead at the last look; 0 while it is believed.
    """

    def __init__(
        self,
        database: Database,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._wall = wall
        self._monotonic = monotonic
        self._looked_at: float | None = None
        self.ahead_seconds = 0.0

    def now(self) -> float:
        """Returns the believed time, in seconds since 1970, and keeps it.

        Raises:
            sqlite3.Error: the store cannot be written.
        """
        now, looked_at = self._wall(), self._monotonic()
        elapsed_seconds = 0.0 if self._looked_at is None else looked_at - self._looked_at
        self._looked_at = looked_at
        with self._database.transaction() as transaction:
            before = _stored(transaction)
            if before is None:
                return now  # nothing was read yet: there is nothing to remove, and nothing to compare with
            state = next_state(before, now, elapsed_seconds)
            transaction.execute(
                "INSERT OR REPLACE INTO retention_clock VALUES (0, ?, ?)",
                (state.believed_time, state.doubted_seconds),
            )
        self.ahead_seconds = max(0.0, now - state.believed_time)
        if self.ahead_seconds:
            log.warning(
                "the clock has jumped ahead; labels and texts are kept or removed by the time before, which "
                "goes on; set the clock right, or it is believed after a week",
                ahead_days=round(self.ahead_seconds / SECONDS_PER_DAY, 1),
                doubted_days=round(state.doubted_seconds / SECONDS_PER_DAY, 2),
            )
        return state.believed_time


def _stored(transaction: sqlite3.Connection) -> ClockState | None:
    row = transaction.execute("SELECT believed_time, doubted_seconds FROM retention_clock").fetchone()
    if row is not None:
        return ClockState(*row)
    # The first look: the clock may be wrong already, and the newest record is all that there is beside it.
    newest_ms = transaction.execute("SELECT MAX(last_time_ms) FROM offsets").fetchone()[0]
    return None if newest_ms is None else ClockState(newest_ms / 1000)
