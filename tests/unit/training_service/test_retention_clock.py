"""A clock that jumps ahead removes nothing, and a time that has really passed does."""

import pytest
from structlog.testing import capture_logs

from services.training_service.database import Database
from services.training_service.labels.intake_records import Label
from services.training_service.labels.label_store import LabelStore, ReadPosition
from services.training_service.labels.retention_clock import (
    DOUBT_SECONDS,
    MAX_STEP_SECONDS,
    SECONDS_PER_DAY,
    ClockState,
    RetentionClock,
    next_state,
)

START = 1_800_000_000.0
YEAR = 365 * SECONDS_PER_DAY
HOUR = 3600.0


class Clocks:
    """A machine's clock and a monotonic one, moved by the test."""

    def __init__(self) -> None:
        self.wall = START
        self.monotonic = 50.0

    def of(self, database: Database) -> RetentionClock:
        """Returns the clock of a process that starts now."""
        return RetentionClock(database, lambda: self.wall, lambda: self.monotonic)

    def run(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def clocks(labels: LabelStore) -> Clocks:
    label = Label("a", "r", 50.0, START, "Resume.", "Job.")
    labels.apply([label], {("labels", 0): ReadPosition(1, int(START * 1000))})
    return Clocks()


def tidy(labels: LabelStore, clock: RetentionClock) -> int:
    """Removes labels older than two years; returns how many are left."""
    labels.remove_old(clock.now(), 90, 730)
    return labels.counts().num_usable


def test_a_clock_that_jumps_years_ahead_removes_nothing_and_is_told(
    database: Database, labels: LabelStore, clocks: Clocks
) -> None:
    clock = clocks.of(database)
    assert tidy(labels, clock) == 1

    clocks.wall += 10 * YEAR
    with capture_logs() as logged:
        for _ in range(24):
            clocks.run(HOUR)
            assert tidy(labels, clock) == 1
    assert logged[0]["log_level"] == "warning"
    assert logged[0]["ahead_days"] == 3650
    assert clock.ahead_seconds == 10 * YEAR
    assert clock.now() == START + 24 * HOUR  # retention goes on by the time before

    clocks.wall -= 10 * YEAR
    assert tidy(labels, clock) == 1
    assert clock.ahead_seconds == 0


def test_a_process_that_starts_with_a_wrong_clock_removes_nothing(
    database: Database, labels: LabelStore, clocks: Clocks
) -> None:
    clocks.wall += 10 * YEAR

    assert tidy(labels, clocks.of(database)) == 1  # the newest record tells
    assert tidy(labels, clocks.of(database)) == 1


def test_time_that_passes_while_the_trainer_runs_removes_what_is_too_old_without_any_record(
    database: Database, labels: LabelStore, clocks: Clocks
) -> None:
    clock = clocks.of(database)
    for _ in range(729):
        clocks.run(SECONDS_PER_DAY)
        assert tidy(labels, clock) == 1

    clocks.run(2 * SECONDS_PER_DAY)
    assert tidy(labels, clock) == 0


def test_a_clock_that_stays_ahead_is_believed_after_a_week_across_restarts(
    database: Database, labels: LabelStore, clocks: Clocks
) -> None:
    tidy(labels, clocks.of(database))
    clocks.wall += 3 * YEAR  # switched off for so long
    left = []
    for _ in range(4):
        clock = clocks.of(database)
        for _ in range(2):
            left.append(tidy(labels, clock))
            clocks.run(2 * SECONDS_PER_DAY)

    assert left == [1] * 7 + [0]


def test_before_the_first_record_there_is_nothing_to_compare_with(database: Database) -> None:
    clocks = Clocks()
    assert clocks.of(database).now() == START


def test_steps_of_less_than_a_week_and_backwards_are_believed() -> None:
    state = ClockState(START, doubted_seconds=5.0)

    assert next_state(state, START + MAX_STEP_SECONDS + 60, 60) == ClockState(START + MAX_STEP_SECONDS + 60)
    assert next_state(state, START - YEAR, 60) == ClockState(START - YEAR)
    assert next_state(state, START + YEAR, 60) == ClockState(START + 60, 65.0)
    assert next_state(state, START + YEAR, DOUBT_SECONDS) == ClockState(START + YEAR)
