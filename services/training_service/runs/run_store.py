"""Training runs and what people asked of them, so that a restarted trainer goes on where it was."""

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.training_service.database import Database
from services.training_service.labels.quarantine import count_rejection


class RunState(StrEnum):
    """Where a run stands; past participles are ends."""

    PENDING = "PENDING"  # its labels are chosen
    RUNNING = "RUNNING"  # its files are written; the training process works
    SUCCEEDED = "SUCCEEDED"  # an adapter was trained; the gate has not judged it
    PUBLISHING = "PUBLISHING"  # the gate let it pass
    PUBLISHED = "PUBLISHED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


ENDS = (RunState.PUBLISHED, RunState.REJECTED, RunState.FAILED, RunState.CANCELLED)


class Request(StrEnum):
    """What a person can ask of the trainer."""

    TRAIN = "train"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Run:
    """One training run.

    Attributes:
        run_id: counts up from 1.
        state: where it stands.
        trigger: why it was started.
        num_attempts: how often its training process was started.
        create_time, end_time: in seconds since 1970; None while it goes on.
        initial_version: the stored version it starts from; empty for the adapter of the settings.
        message: why it ended as it did, or the version that it published.
    """

    run_id: int
    state: RunState
    trigger: str
    num_attempts: int
    create_time: float
    end_time: float | None
    initial_version: str
    message: str


@dataclass(frozen=True, slots=True)
class FailureStreak:
    """The runs that failed since the last that did not.

    Attributes:
        num_runs: how many.
        last_time: when the last one ended, in seconds since 1970; None without any.
    """

    num_runs: int
    last_time: float | None


class RunStore:
    """Keeps runs and requests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, trigger: str) -> Run:
        """Creates a run of all new labels and takes back the request for one, in one transaction.

        Raises:
            sqlite3.IntegrityError: another run goes on.
        """
        with self._database.transaction() as transaction:
            run_id = transaction.execute(
                "INSERT INTO runs (state, trigger, create_time) VALUES (?, ?, ?)",
                (RunState.PENDING, trigger, time.time()),
            ).lastrowid
            transaction.execute("UPDATE labels SET run_id = ? WHERE run_id IS NULL AND is_usable", (run_id,))
            # A cancellation was meant for a run before this one.
            transaction.execute("DELETE FROM requests")
        return self.latest(1)[0]

    def unfinished(self) -> Run | None:
        """Returns the run that goes on, if one does."""
        rows = self._database.read("SELECT * FROM runs WHERE end_time IS NULL")
        return _run(rows[0]) if rows else None

    def latest(self, count: int) -> list[Run]:
        """Returns the latest runs, newest first."""
        return [
            _run(row)
            for row in self._database.read("SELECT * FROM runs ORDER BY run_id DESC LIMIT ?", (count,))
        ]

    def advance(self, run: Run, state: RunState, initial_version: str | None = None) -> None:
        """Moves a run to a state that is no end.

        Args:
            initial_version: the version it starts from, where that became known.
        """
        with self._database.transaction() as transaction:
            transaction.execute(
                "UPDATE runs SET state = ?, initial_version = COALESCE(?, initial_version) WHERE run_id = ?",
                (state, initial_version, run.run_id),
            )

    def count_attempt(self, run: Run, change: int = 1) -> None:
        """Counts a start of the training process, or takes one back."""
        with self._database.transaction() as transaction:
            transaction.execute(
                "UPDATE runs SET num_attempts = num_attempts + ? WHERE run_id = ?", (change, run.run_id)
            )

    def finish(self, run: Run, state: RunState, message: str) -> int:
        """Ends a run; the labels of a failed one are new again.

        Args:
            state: one of ``ENDS``.
            message: why, without any text of a record.

        Returns:
            How many labels came into quarantine, because no adapter got better from them.
        """
        now, num_quarantined = time.time(), 0
        with self._database.transaction() as transaction:
            if state is RunState.REJECTED:
                num_quarantined = count_rejection(transaction, run.run_id, now)
            transaction.execute(
                "UPDATE runs SET state = ?, end_time = ?, message = ? WHERE run_id = ?",
                (state, now, message, run.run_id),
            )
            if state is RunState.FAILED:
                transaction.execute("UPDATE labels SET run_id = NULL WHERE run_id = ?", (run.run_id,))
        return num_quarantined

    def last_end_time(self) -> float | None:
        """Returns when the latest run ended, in seconds since 1970; None before the first."""
        time_of_end: float | None = self._database.read("SELECT MAX(end_time) AS last FROM runs")[0]["last"]
        return time_of_end

    def failure_streak(self) -> FailureStreak:
        """Returns how many runs failed in a row, up to now."""
        rows = self._database.read(
            "SELECT COUNT(*) AS num_runs, MAX(end_time) AS last_time FROM runs WHERE state = 'FAILED' AND "
            "run_id > COALESCE((SELECT MAX(run_id) FROM runs WHERE end_time AND state != 'FAILED'), 0)"
        )
        return FailureStreak(**dict(rows[0]))

    def request(self, request: Request) -> None:
        """Notes what a person asks for; the trainer sees it within a second, or when it starts."""
        with self._database.transaction() as transaction:
            transaction.execute("INSERT OR IGNORE INTO requests VALUES (?)", (request,))

    def is_requested(self, request: Request) -> bool:
        """Returns whether a person asked for this."""
        return bool(self._database.read("SELECT 1 FROM requests WHERE kind = ?", (request,)))


def _run(row: Any) -> Run:
    return Run(**(dict(row) | {"state": RunState(row["state"])}))
