"""Forgets a person: the texts go, and a tombstone keeps them from being taken in again.

The topics may still hold the records, and the trainer may read them again from their beginning.
"""

import hashlib
import sqlite3
from dataclasses import dataclass

from services.training_service.database import Database


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed.

    Attributes:
        num_applications: texts that waited for a label, 0 or 1.
        num_labels: labels with their texts.
    """

    num_applications: int
    num_labels: int


def forget_application(database: Database, application_id: str, now: float) -> Forgotten:
    """Removes everything of an application from the store, also from its journal, and leaves a tombstone.

    Args:
        now: seconds since 1970.
    """
    with database.transaction() as transaction:
        num_applications = transaction.execute(
            "DELETE FROM applications WHERE application_id = ?", (application_id,)
        ).rowcount
        num_labels = transaction.execute(
            "DELETE FROM labels WHERE application_id = ?", (application_id,)
        ).rowcount
        transaction.execute("INSERT OR REPLACE INTO tombstones VALUES (?, ?)", (_digest(application_id), now))
    # The write-ahead log holds the old pages until it is emptied.
    database.read("PRAGMA wal_checkpoint(TRUNCATE)")
    return Forgotten(num_applications, num_labels)


def is_forgotten(transaction: sqlite3.Connection, application_id: str) -> bool:
    """Returns whether an application has a tombstone."""
    return (
        transaction.execute(
            "SELECT 1 FROM tombstones WHERE application_sha256 = ?", (_digest(application_id),)
        ).fetchone()
        is not None
    )


def _digest(application_id: str) -> str:
    # An id may be a person's own, such as a mail address: the tombstone must not keep it.
    return hashlib.sha256(application_id.encode()).hexdigest()
