"""Asks again and again whether to train, and sees each run through; labels come in meanwhile."""

import asyncio
import math
import time

from services.process.logging import get_logger
from services.process.settings import TrainerSettings
from services.training_service.labels.label_store import LabelStore
from services.training_service.labels.retention_clock import RetentionClock
from services.training_service.metrics import TrainerMetrics
from services.training_service.runs.run_execution import RunExecution
from services.training_service.runs.run_folder import tidy
from services.training_service.runs.run_store import Request, Run, RunStore
from services.training_service.runs.training_policy import (
    SECONDS_PER_HOUR,
    Situation,
    TrainingLimits,
    due_trigger,
)

log = get_logger(__name__)

LOOK_SECONDS = 1.0
FIGURES_SECONDS = 5.0


def seconds_since(last_time: float | None, now: float) -> float:
    """Returns how long ago something was; infinite for the future, where only a wrong clock puts it."""
    if last_time is None:
        return 0.0
    return now - last_time if last_time <= now else math.inf


class TrainingLoop:
    """Starts and resumes runs.

    Args:
        settings: when to train, and how long to keep what.
        clock: tells what is too old.
        metrics: show the numbers of labels.
    """

    def __init__(
        self,
        settings: TrainerSettings,
        labels: LabelStore,
        runs: RunStore,
        clock: RetentionClock,
        execution: RunExecution,
        metrics: TrainerMetrics,
    ) -> None:
        self._settings = settings
        self._labels = labels
        self._runs = runs
        self._clock = clock
        self._execution = execution
        self._metrics = metrics
        self._next_tidy_time = 0.0

    async def follow(self) -> None:
        """Trains whenever it is due, until cancelled; a run that was cut off comes first."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_figures())
            while True:
                run = await asyncio.to_thread(self._run_to_do)
                if run is not None:
                    await self._execution.carry_out(run)
                    self._next_tidy_time = 0.0
                await asyncio.sleep(LOOK_SECONDS)

    async def _keep_figures(self) -> None:
        while True:
            await asyncio.to_thread(self._show_counts)
            await asyncio.sleep(FIGURES_SECONDS)

    def _run_to_do(self) -> Run | None:
        run = self._runs.unfinished()
        self._tidy(run)
        if run is not None:
            return run
        limits = TrainingLimits(
            self._settings.trainer_min_new_labels,
            self._settings.trainer_max_hours * SECONDS_PER_HOUR,
            self._settings.trainer_backoff_seconds,
            self._settings.trainer_min_pause_seconds,
        )
        trigger = due_trigger(self._situation(), limits)
        return None if trigger is None else self._runs.create(trigger)

    def _situation(self) -> Situation:
        now = time.time()
        counts, failures = self._labels.counts(), self._runs.failure_streak()
        last_end = self._runs.last_end_time()
        return Situation(
            is_run_unfinished=False,
            is_requested=self._runs.is_requested(Request.TRAIN),
            num_new=counts.num_new,
            num_new_trainable=counts.num_new_trainable,
            oldest_new_age_seconds=now - (counts.oldest_new_time or now),
            num_failures=failures.num_runs,
            seconds_since_failure=seconds_since(failures.last_time, now),
            seconds_since_last_run=math.inf if last_end is None else seconds_since(last_end, now),
        )

    def _show_counts(self) -> None:
        counts = self._labels.counts()
        self._metrics.usable_labels.set(counts.num_usable)
        self._metrics.new_labels.set(counts.num_new)
        self._metrics.waiting_labels.set(counts.num_waiting)
        self._metrics.quarantined_labels.set(counts.num_quarantined)
        self._metrics.disagreement_points.set(self._labels.disagreement().points)

    def _tidy(self, unfinished: Run | None) -> None:
        if time.monotonic() < self._next_tidy_time:
            return
        settings = self._settings
        tidy(
            settings.trainer_dir,
            None if unfinished is None else unfinished.run_id,
            settings.trainer_kept_versions,
        )
        self._labels.remove_old(
            self._clock.now(), settings.trainer_retention_days, settings.trainer_label_retention_days
        )
        self._metrics.clock_ahead_seconds.set(self._clock.ahead_seconds)
        self._next_tidy_time = time.monotonic() + SECONDS_PER_HOUR
