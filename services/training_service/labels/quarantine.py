"""Labels that took part in two rejected runs wait apart, until a person releases them.

A rejected run's labels come along in the next one: another rater, or more labels, may make the difference.
But labels that no adapter gets better from would come along for ever, and no run would pass again.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.training_service.database import Database

MAX_REJECTIONS = 2

# What a run learns: its own labels, and what earlier runs took but did not publish.
FRESH = "(run_id = ? OR run_id IN (SELECT run_id FROM runs WHERE end_time AND state != 'PUBLISHED'))"


@dataclass(frozen=True, slots=True)
class QuarantinedLabel:
    """A label that no run learns.

    Attributes:
        application_id: what was judged.
        rater: who judged.
        score: the judgement, in points.
        quarantine_time: since when, in seconds since 1970.
    """

    application_id: str
    rater: str = field(repr=False)
    score: float
    quarantine_time: float


def count_rejection(transaction: sqlite3.Connection, run_id: int, now: float) -> int:
    """Counts a rejection against every label that the run learned; called before the run's end is noted.

    Returns:
        How many labels are in quarantine from now on because of it.
    """
    transaction.execute(
        "UPDATE labels SET num_rejections = num_rejections + 1, "  # noqa: S608 - no value of anybody's
        "quarantine_time = CASE WHEN num_rejections + 1 >= ? THEN ? END "
        f"WHERE is_usable AND NOT is_held_out AND quarantine_time IS NULL AND {FRESH}",
        (MAX_REJECTIONS, now, run_id),
    )
    counted = transaction.execute("SELECT COUNT(*) FROM labels WHERE quarantine_time = ?", (now,))
    return int(counted.fetchone()[0])


class Quarantine:
    """Shows and releases labels."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def labels(self) -> list[QuarantinedLabel]:
        """Returns what is in quarantine, the longest first."""
        rows = self._database.read(
            "SELECT application_id, rater, score, quarantine_time FROM labels "
            "WHERE quarantine_time IS NOT NULL ORDER BY quarantine_time, application_id, rater"
        )
        return [QuarantinedLabel(**dict(row)) for row in rows]

    def release(self, application_ids: Sequence[str] | None = None) -> int:
        """Makes labels new again, as if they had just come; returns how many.

        Args:
            application_ids: whose; None: all of them.
        """
        with self._database.transaction() as transaction:
            query = (
                "UPDATE labels SET run_id = NULL, num_rejections = 0, quarantine_time = NULL "
                "WHERE quarantine_time IS NOT NULL"
            )
            if application_ids is None:
                return transaction.execute(query).rowcount
            return sum(
                transaction.execute(f"{query} AND application_id = ?", (application_id,)).rowcount
                for application_id in application_ids
            )
