"""When a run starts, and when not."""

import pytest

from services.training_service.runs.training_policy import (
    MAX_BACKOFF_SECONDS,
    Situation,
    TrainingLimits,
    Trigger,
    backoff_seconds,
    due_trigger,
)

LIMITS = TrainingLimits(
    min_new_labels=50, max_waiting_seconds=3600, backoff_seconds=100, min_pause_seconds=60
)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (Situation(), None),
        (Situation(num_new=49, num_new_trainable=40), None),
        (Situation(num_new=50, num_new_trainable=40), Trigger.NEW_LABELS),
        (Situation(num_new=1, num_new_trainable=1, oldest_new_age_seconds=3600), None),
        (Situation(num_new=1, num_new_trainable=1, oldest_new_age_seconds=3601), Trigger.WAITING_TIME),
        # Held-out labels teach nothing, however many they are and however long they wait.
        (Situation(num_new=50, oldest_new_age_seconds=1e6), None),
        (Situation(is_requested=True), Trigger.REQUESTED),
        (Situation(is_requested=True, is_run_unfinished=True), None),
        (Situation(num_new=50, num_new_trainable=50, is_run_unfinished=True), None),
        (Situation(num_new=50, num_new_trainable=50, num_failures=1, seconds_since_failure=99), None),
        (
            Situation(num_new=50, num_new_trainable=50, num_failures=1, seconds_since_failure=100),
            Trigger.NEW_LABELS,
        ),
        (Situation(num_new=50, num_new_trainable=50, num_failures=2, seconds_since_failure=199), None),
        (Situation(is_requested=True, num_failures=2), Trigger.REQUESTED),
        (Situation(num_new=50, num_new_trainable=50, seconds_since_last_run=59), None),
        (Situation(num_new=50, num_new_trainable=50, seconds_since_last_run=60), Trigger.NEW_LABELS),
        (Situation(is_requested=True, seconds_since_last_run=0), Trigger.REQUESTED),
    ],
)
def test_what_starts_a_run(situation: Situation, expected: Trigger | None) -> None:
    assert due_trigger(situation, LIMITS) is expected


def test_the_pause_after_failures_doubles_up_to_a_bound() -> None:
    assert [backoff_seconds(count, 100) for count in (1, 2, 3)] == [100, 200, 400]
    assert backoff_seconds(1000, 100) == MAX_BACKOFF_SECONDS
    assert backoff_seconds(1, 10 * MAX_BACKOFF_SECONDS) == 10 * MAX_BACKOFF_SECONDS
