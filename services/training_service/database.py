"""The trainer's one SQLite file: every step of its work is one transaction here.

A label and the offset behind it stand in the same transaction, so a crash neither loses nor doubles one.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DATABASE_FILE = "trainer.sqlite3"
# `resume-scorer trainer request` and `status` open the same file beside the service.
BUSY_SECONDS = 30.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS offsets (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL, last_time_ms INTEGER,
    PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
-- Deleted jobs stay without their text, so that an older posting does not bring them back.
CREATE TABLE IF NOT EXISTS posted_jobs (
    job_id TEXT PRIMARY KEY, text TEXT, is_deleted INTEGER NOT NULL, version INTEGER, post_time_ms INTEGER,
    partition INTEGER NOT NULL, offset INTEGER NOT NULL, time_ms INTEGER
);
CREATE TABLE IF NOT EXISTS applications (
    application_id TEXT PRIMARY KEY, job_id TEXT NOT NULL, resume TEXT NOT NULL,
    job_description TEXT, seen_time REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS applications_by_time ON applications (seen_time);
CREATE TABLE IF NOT EXISTS runs (
    run_id INTEGER PRIMARY KEY, state TEXT NOT NULL, trigger TEXT NOT NULL,
    num_attempts INTEGER NOT NULL DEFAULT 0, create_time REAL NOT NULL, end_time REAL,
    initial_version TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS one_run_at_a_time ON runs (end_time IS NULL) WHERE end_time IS NULL;
CREATE TABLE IF NOT EXISTS labels (
    application_id TEXT NOT NULL, rater TEXT NOT NULL, score REAL NOT NULL,
    resume TEXT, job_description TEXT, label_time REAL NOT NULL,
    is_held_out INTEGER NOT NULL, run_id INTEGER REFERENCES runs,
    num_rejections INTEGER NOT NULL DEFAULT 0, quarantine_time REAL,
    is_usable INTEGER GENERATED ALWAYS AS (resume IS NOT NULL AND job_description IS NOT NULL) STORED,
    PRIMARY KEY (application_id, rater)
);
CREATE TABLE IF NOT EXISTS tombstones (
    application_sha256 TEXT PRIMARY KEY, forget_time REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retention_clock (
    row_id INTEGER PRIMARY KEY CHECK (row_id = 0), believed_time REAL NOT NULL, doubted_seconds REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS requests (kind TEXT PRIMARY KEY);
"""
INDEXES = """
CREATE INDEX IF NOT EXISTS labels_without_texts ON labels (application_id) WHERE NOT is_usable;
-- These two answer the regular questions without touching the pages of the texts.
DROP INDEX IF EXISTS labels_counted;
CREATE INDEX IF NOT EXISTS labels_by_state
    ON labels (run_id, is_usable, is_held_out, label_time, quarantine_time);
CREATE INDEX IF NOT EXISTS labels_compared ON labels (application_id, rater, score);
"""
# What files of earlier versions lack.
ADDED_COLUMNS = {"num_rejections": "INTEGER NOT NULL DEFAULT 0", "quarantine_time": "REAL"}


class Database:
    """One connection, shared by threads, one transaction at a time.

    Args:
        folder: where the file lies; made where missing, for this user alone: the file holds personal data.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            folder / DATABASE_FILE, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(SCHEMA)
        self._take_jobs_over()
        self._add_columns()
        self._connection.executescript(INDEXES)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yields the connection; what is done with it is kept whole, or not at all if the block raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """Returns all rows of a query, each readable by column name."""
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def _add_columns(self) -> None:
        with self.transaction() as transaction:
            present = {row["name"] for row in transaction.execute("PRAGMA table_info(labels)")}
            for name, kind in ADDED_COLUMNS.items():
                if name not in present:
                    transaction.execute(f"ALTER TABLE labels ADD COLUMN {name} {kind}")

    def _take_jobs_over(self) -> None:
        """Moves the jobs of a file from before postings had an order; any posting replaces them."""
        with self.transaction() as transaction:
            if transaction.execute("SELECT 1 FROM sqlite_master WHERE name = 'jobs'").fetchone() is None:
                return
            transaction.execute(
                "INSERT OR IGNORE INTO posted_jobs SELECT job_id, text, 0, NULL, NULL, -1, 0, NULL FROM jobs"
            )
            transaction.execute("DROP TABLE jobs")

    def close(self) -> None:
        """Gives the file back."""
        with self._lock:
            self._connection.close()
