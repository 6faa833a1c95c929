"""The bounded queue in front of the model thread."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from services.contracts.errors import DeadlineExpired, EngineClosed, EngineOverloaded
from services.contracts.reading import ReadingRules
from services.contracts.scoring import PairRequest, PairScore
from services.scoring.engine.batch_planner import BatchPlan
from services.scoring.reading.pair_reader import ReadPair
from services.scoring.reading.prompt import Prompt

# Batches go by job, not by arrival alone, and a load that grows slows the machine before it is measured.
_WAIT_MARGIN = 1.5


@dataclass(slots=True, eq=False)
class WaitingPair:
    """One accepted pair.

    Attributes:
        request: what the caller asked.
        read: its tokens, and what was noticed while reading.
        rules: by which it was read: those of the adapter that was active then.
        encode_seconds: how long tokenising took.
        accepted_at: ``time.monotonic()`` seconds.
        outcome: resolved by the model thread; cancelled when the caller leaves.
    """

    request: PairRequest
    read: ReadPair
    rules: ReadingRules
    encode_seconds: float
    accepted_at: float
    outcome: "Future[PairScore]" = field(default_factory=Future)

    @property
    def prompt(self) -> Prompt:
        """Returns what is scored."""
        return self.read.prompt


class PairQueue:
    """Hands accepted pairs to the model thread. Safe to use from any thread.

    Args:
        max_pairs: how many may be admitted and not yet taken.
        on_changed: told the number of admitted pairs after each change.
    """

    def __init__(self, max_pairs: int, on_changed: Callable[[int], None]) -> None:
        self._max_pairs = max_pairs
        self._on_changed = on_changed
        self._changed = threading.Condition()
        self._waiting: list[WaitingPair] = []
        self._num_admitted = 0
        self._is_closed = False
        self._ended_by: Exception | None = None
        self.retry_after_seconds = 1.0
        self.seconds_per_pair = 0.0  # as measured lately; 0: not yet
        self.num_computing = 0  # pairs of the batch at hand

    @property
    def num_admitted(self) -> int:
        """Returns the pairs admitted and not yet taken, those still being tokenised included."""
        return self._num_admitted

    def admit(self, deadline: float | None = None) -> None:
        """Reserves a place, to be used by ``put`` or given back by ``release``.

        Args:
            deadline: ``time.monotonic()`` seconds; None: the pair waits for as long as it takes.

        Raises:
            EngineOverloaded: every place is taken, or those before this one last beyond its deadline.
            EngineClosed: the queue is closed.
        """
        with self._changed:
            if self._is_closed:
                raise EngineClosed("the engine accepts no more work")
            if self._num_admitted >= self._max_pairs:
                raise EngineOverloaded(self.retry_after_seconds)
            if deadline is not None:
                self._refuse_if_late(deadline - time.monotonic())
            self._num_admitted += 1
        self._on_changed(self._num_admitted)

    def release(self) -> None:
        """Gives back a reserved place that will not be used."""
        with self._changed:
            self._num_admitted -= 1
            self._changed.notify()
        self._on_changed(self._num_admitted)

    def put(self, pair: WaitingPair) -> None:
        """Hands over a pair whose place is reserved."""
        with self._changed:
            self._waiting.append(pair)
            self._changed.notify()
            error = self._ended_by
        if error is not None:
            self.fail_all(error)  # it was being tokenised when everybody else was told

    def wake(self) -> None:
        """Makes a waiting ``take`` return."""
        with self._changed:
            self._changed.notify()

    def close(self) -> None:
        """Refuses new pairs; those admitted are still handed out."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def take(
        self, plan: Callable[[Sequence[WaitingPair], float], BatchPlan], *, is_idle: Callable[[], bool]
    ) -> list[WaitingPair] | None:
        """Waits for the next batch.

        Args:
            plan: chooses among the waiting pairs at a time in ``time.monotonic()`` seconds.
            is_idle: whether there is nothing else to do; where there is, this never waits for long.

        Returns:
            The pairs of the batch, an empty list where the caller has other work, or None once the queue
            is closed and empty.
        """
        with self._changed:
            while True:
                self._drop_departed()
                wait_seconds: float | None = None
                if self._waiting:
                    decision = plan(self._waiting, time.monotonic())
                    if decision.chosen:
                        return self._remove(decision.chosen)
                    wait_seconds = decision.wait_seconds
                if not is_idle():
                    return []
                if self._is_closed and self._num_admitted == 0:
                    return None
                self._changed.wait(wait_seconds)

    def fail_all(self, error: Exception) -> None:
        """Answers every waiting pair with an error, and those that are still to come."""
        with self._changed:
            self._ended_by = error
            for pair in self._remove(tuple(range(len(self._waiting)))):
                if pair.outcome.set_running_or_notify_cancel():
                    pair.outcome.set_exception(error)

    def _refuse_if_late(self, remaining_seconds: float) -> None:
        # Better told now than dropped at the deadline, after a wait that another server could have used.
        num_before = self._num_admitted + self.num_computing
        wait_seconds = num_before * self.seconds_per_pair * _WAIT_MARGIN
        if 0 < remaining_seconds < wait_seconds:
            raise EngineOverloaded(max(self.retry_after_seconds, wait_seconds - remaining_seconds))

    def _remove(self, chosen: tuple[int, ...]) -> list[WaitingPair]:
        taken = [self._waiting[index] for index in chosen]
        gone = set(chosen)
        self._waiting = [pair for index, pair in enumerate(self._waiting) if index not in gone]
        self._num_admitted -= len(taken)
        self._on_changed(self._num_admitted)
        return taken

    def _drop_departed(self) -> None:
        """Drops pairs whose caller left or whose deadline passed, before they cost any computing."""
        now = time.monotonic()
        departed = tuple(
            index
            for index, pair in enumerate(self._waiting)
            if pair.outcome.cancelled()
            or (pair.request.deadline is not None and pair.request.deadline <= now)
        )
        if not departed:
            return
        for pair in self._remove(departed):
            if pair.outcome.set_running_or_notify_cancel():
                pair.outcome.set_exception(
                    DeadlineExpired("the deadline passed before the model was reached")
                )
