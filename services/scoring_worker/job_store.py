"""The jobs that a worker knows, on disk when they are many."""

import sqlite3
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field

from services.events.wire.job_records import UNKNOWN, PostedJob, Standing

# Deleted jobs stay as rows without text, so that an older posting does not bring them back.
_TABLE = """
CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY, text TEXT, is_deleted INTEGER NOT NULL, version INTEGER, post_time_ms INTEGER,
    partition INTEGER NOT NULL, offset INTEGER NOT NULL, time_ms INTEGER
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class KnownJob:
    """A job that applications can be scored against.

    Attributes:
        text: title and description.
        version: of the posting; None where it has none.
    """

    text: str = field(repr=False)
    version: int | None = None


class JobStore:
    """Jobs by id, in a private database on disk that vanishes with the process."""

    def __init__(self) -> None:
        # An empty name is SQLite's for a temporary file that nobody else can open; it stays in the
        # page cache until memory is short.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(_TABLE)
        self._num_jobs = 0  # counted along, since SQLite counts by reading everything

    def __len__(self) -> int:
        return self._num_jobs

    def apply(self, jobs: Iterable[PostedJob]) -> int:
        """Stores, replaces and deletes jobs.

        Returns:
            How many of them are older than what is stored, and so change nothing.
        """
        self._database.execute("BEGIN")
        num_outdated = sum(not self._put(job) for job in jobs)
        self._database.execute("COMMIT")
        return num_outdated

    def find(self, job_id: str) -> KnownJob | None:
        """Returns a job, or None if it is not known."""
        row = self._database.execute(
            "SELECT text, version FROM jobs WHERE job_id = ? AND NOT is_deleted", (job_id,)
        ).fetchone()
        return KnownJob(*row) if row else None

    def forget_positions(self) -> None:
        """Compares offsets no more with those read so far: they may be another broker's."""
        self._database.execute("UPDATE jobs SET partition = ?", (UNKNOWN,))

    def close(self) -> None:
        """Gives the file back."""
        self._database.close()

    def _put(self, job: PostedJob) -> bool:
        row = self._database.execute(
            "SELECT is_deleted, version, post_time_ms, partition, offset, time_ms FROM jobs WHERE job_id = ?",
            (job.job_id,),
        ).fetchone()
        stored = None if row is None else Standing(bool(row[0]), *row[1:])
        if stored is not None and not job.standing.replaces(stored):
            return False
        self._database.execute(
            "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (job.job_id, job.text, *astuple(job.standing)),
        )
        was_known = stored is not None and not stored.is_deleted
        self._num_jobs += (job.text is not None) - was_known
        return True
