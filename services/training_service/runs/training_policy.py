"""When to train: pure."""

import math
from dataclasses import dataclass
from enum import StrEnum

SECONDS_PER_HOUR = 3600.0
#: A fault that lasts for days is tried four times a day, whatever the number of failures.
MAX_BACKOFF_SECONDS = 6 * SECONDS_PER_HOUR


class Trigger(StrEnum):
    """Why a run starts."""

    REQUESTED = "requested"
    NEW_LABELS = "new_labels"
    WAITING_TIME = "waiting_time"


@dataclass(frozen=True, slots=True)
class TrainingLimits:
    """The settings that decide.

    Attributes:
        min_new_labels: so many new usable labels start a run.
        max_waiting_seconds: no new usable label waits longer.
        backoff_seconds: pause after a failed run, doubled with each further one.
        min_pause_seconds: pause after any run.
    """

    min_new_labels: int
    max_waiting_seconds: float
    backoff_seconds: float
    min_pause_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when the question is asked.

    Attributes:
        is_run_unfinished: whether a run goes on.
        is_requested: whether a person asked for a run.
        num_new: new usable labels.
        num_new_trainable: of those, the ones that are not held out.
        oldest_new_age_seconds: of the new labels' first, 0 without any.
        num_failures: runs that failed in a row.
        seconds_since_failure: since the last of them ended.
        seconds_since_last_run: since any run ended; infinite before the first.
    """

    is_run_unfinished: bool = False
    is_requested: bool = False
    num_new: int = 0
    num_new_trainable: int = 0
    oldest_new_age_seconds: float = 0.0
    num_failures: int = 0
    seconds_since_failure: float = 0.0
    seconds_since_last_run: float = math.inf


def due_trigger(situation: Situation, limits: TrainingLimits) -> Trigger | None:
    """Returns why a run should start now, or None.

    There are never two at once. What a person asks for is done in spite of pauses and earlier failures;
    held-out labels alone start nothing, since they teach nothing.
    """
    if situation.is_run_unfinished:
        return None
    if situation.is_requested:
        return Trigger.REQUESTED
    is_backing_off = situation.num_failures > 0 and situation.seconds_since_failure < backoff_seconds(
        situation.num_failures, limits.backoff_seconds
    )
    is_pausing = situation.seconds_since_last_run < limits.min_pause_seconds
    if is_backing_off or is_pausing or situation.num_new_trainable == 0:
        return None
    if situation.num_new >= limits.min_new_labels:
        return Trigger.NEW_LABELS
    if situation.oldest_new_age_seconds > limits.max_waiting_seconds:
        return Trigger.WAITING_TIME
    return None


def backoff_seconds(num_failures: int, first_seconds: float) -> float:
    """Returns the pause after so many failures in a row.

    Args:
        num_failures: at least 1.
    """
    doublings = min(num_failures - 1, 32)  # beyond that only the float would overflow
    return min(first_seconds * 2.0**doublings, max(first_seconds, MAX_BACKOFF_SECONDS))
