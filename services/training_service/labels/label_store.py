"""Labels, the texts they judge, and how far each topic has been read."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field

from services.events.wire.job_records import UNKNOWN, PostedJob, Standing
from services.training_service.database import Database
from services.training_service.labels.forgetting import is_forgotten
from services.training_service.labels.intake_records import IntakeRecord, Label, SeenApplication
from services.training_service.labels.quarantine import FRESH

SECONDS_PER_DAY = 86_400.0
_HASH_BYTES = 8

# Texts may come before or after their label. They are copied to it, so that it outlives what it was made of.
_JOIN_TEXTS = """
UPDATE labels SET
    resume = COALESCE(labels.resume, seen.resume),
    job_description = COALESCE(labels.job_description, seen.job_description)
FROM (
    SELECT application_id, resume, COALESCE(job_description, text) AS job_description
    FROM applications LEFT JOIN posted_jobs USING (job_id)
) AS seen
WHERE labels.application_id = seen.application_id AND NOT labels.is_usable
"""
_COUNT = """
SELECT COALESCE(SUM(is_usable), 0) AS num_usable,
       COALESCE(SUM(is_usable AND run_id IS NULL), 0) AS num_new,
       COALESCE(SUM(is_usable AND run_id IS NULL AND NOT is_held_out), 0) AS num_new_trainable,
       COALESCE(SUM(NOT is_usable), 0) AS num_waiting,
       COALESCE(SUM(quarantine_time IS NOT NULL), 0) AS num_quarantined,
       MIN(CASE WHEN is_usable AND run_id IS NULL THEN label_time END) AS oldest_new_time
FROM labels
"""
# Mean over the applications that several people judged of their mean difference, each pair of them once.
_DISAGREEMENT = """
SELECT AVG(difference) AS points, COUNT(*) AS num_applications FROM (
    SELECT AVG(ABS(one.score - other.score)) AS difference
    FROM labels AS one JOIN labels AS other
    ON one.application_id = other.application_id AND one.rater < other.rater
    GROUP BY one.application_id
)
"""


@dataclass(frozen=True, slots=True)
class ReadPosition:
    """How far a partition has been read.

    Attributes:
        next_offset: of the next record to read.
        last_time_ms: time of the record before it, in milliseconds since 1970: a partition whose record there
            has another time is another one, however much its name and offsets look alike.
    """

    next_offset: int
    last_time_ms: int | None = None


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """How many labels there are.

    Attributes:
        num_usable: with their texts.
        num_new: of those, not yet part of a run.
        num_new_trainable: of the new ones, not held out.
        num_waiting: still without texts.
        num_quarantined: that no run learns until a person releases them.
        oldest_new_time: of the new ones' first, in seconds since 1970; None without new ones.
    """

    num_usable: int
    num_new: int
    num_new_trainable: int
    num_waiting: int
    num_quarantined: int
    oldest_new_time: float | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How far people who judged the same application are apart.

    Attributes:
        points: mean absolute difference of two of them; 0 where nothing was judged twice.
        num_applications: judged by more than one person.
    """

    points: float
    num_applications: int


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """One application as it is trained on.

    Attributes:
        resume, job_description: its texts.
        score: mean over its raters, in points.
    """

    resume: str = field(repr=False)
    job_description: str = field(repr=False)
    score: float


class LabelStore:
    """Keeps labels.

    Args:
        held_out_share: of the applications, kept out of training for good; decided at their first label, so
            that a changed setting never moves one that was trained on.
    """

    def __init__(self, database: Database, held_out_share: float) -> None:
        self._database = database
        self._held_out_share = held_out_share

    def positions(self) -> dict[tuple[str, int], ReadPosition]:
        """Returns how far each topic and partition has been read."""
        rows = self._database.read("SELECT * FROM offsets")
        return {
            (row["topic"], row["partition"]): ReadPosition(row["next_offset"], row["last_time_ms"])
            for row in rows
        }

    def apply(
        self, records: Iterable[IntakeRecord], positions: Mapping[tuple[str, int], ReadPosition]
    ) -> Counter[str]:
        """Stores records and how far they reach, in one transaction; applying them again changes nothing.

        Args:
            records: in their order.
            positions: by topic and partition, as ``positions`` returns them.

        Returns:
            How many labels were ``new``, ``replaced`` an earlier one, were ``repeated``, or are of a
            ``forgotten`` application.
        """
        outcomes: Counter[str] = Counter()
        with self._database.transaction() as transaction:
            for record in records:
                if not isinstance(record, PostedJob) and is_forgotten(transaction, record.application_id):
                    outcomes["forgotten"] += isinstance(record, Label)
                elif isinstance(record, Label):
                    outcomes[self._put_label(transaction, record)] += 1
                elif isinstance(record, SeenApplication):
                    _put_application(transaction, record)
                else:
                    _put_job(transaction, record)
            transaction.execute(_JOIN_TEXTS)
            transaction.executemany(
                "INSERT OR REPLACE INTO offsets VALUES (?, ?, ?, ?)",
                [(*place, read.next_offset, read.last_time_ms) for place, read in positions.items()],
            )
        return outcomes

    def forget_positions_of_jobs(self, partition: int) -> None:
        """Compares offsets of the jobs topic no more with those of a partition that is another one by now."""
        with self._database.transaction() as transaction:
            transaction.execute(
                "UPDATE posted_jobs SET partition = ? WHERE partition = ?", (UNKNOWN, partition)
            )

    def counts(self) -> LabelCounts:
        """Returns how many labels there are."""
        return LabelCounts(**dict(self._database.read(_COUNT)[0]))

    def disagreement(self) -> Disagreement:
        """Returns how far raters are apart."""
        row = self._database.read(_DISAGREEMENT)[0]
        return Disagreement(row["points"] or 0.0, row["num_applications"])

    def fresh_applications(self, run_id: int) -> list[str]:
        """Returns the ids that a run must learn: its own, and what earlier runs took but did not publish.

        Labels in quarantine are left out.
        """
        return self._ids(FRESH, (run_id,))

    def learned_applications(self) -> list[str]:
        """Returns the ids that a published run has learned."""
        return self._ids("run_id IN (SELECT run_id FROM runs WHERE state = 'PUBLISHED')", ())

    def held_out_applications(self, max_count: int) -> list[str]:
        """Returns the ids that no run learns, the latest labelled first."""
        rows = self._database.read(
            "SELECT application_id FROM labels WHERE is_usable AND is_held_out "
            "GROUP BY application_id ORDER BY MAX(label_time) DESC, application_id LIMIT ?",
            (max_count,),
        )
        return [row["application_id"] for row in rows]

    def pairs(self, application_ids: Iterable[str]) -> list[TrainingPair]:
        """Returns applications with the mean of their labels and the texts of the latest."""
        found = []
        for application_id in application_ids:
            rows = self._database.read(
                "SELECT resume, job_description, score FROM labels "
                "WHERE application_id = ? AND is_usable AND quarantine_time IS NULL ORDER BY label_time DESC",
                (application_id,),
            )
            if rows:
                score = sum(row["score"] for row in rows) / len(rows)
                found.append(TrainingPair(rows[0]["resume"], rows[0]["job_description"], score))
        return found

    def remove_old(self, now: float, application_days: float, label_days: float) -> None:
        """Removes what is older than its retention: texts that nobody labelled, and labels with theirs."""
        with self._database.transaction() as transaction:
            transaction.execute(
                "DELETE FROM applications WHERE seen_time < ?", (now - application_days * SECONDS_PER_DAY,)
            )
            transaction.execute(
                "DELETE FROM labels WHERE label_time < ?", (now - label_days * SECONDS_PER_DAY,)
            )

    def _ids(self, condition: str, parameters: tuple[object, ...]) -> list[str]:
        rows = self._database.read(
            "SELECT DISTINCT application_id FROM labels "  # noqa: S608
            f"WHERE is_usable AND NOT is_held_out AND quarantine_time IS NULL AND {condition} "
            "ORDER BY application_id",
            parameters,
        )
        return [row["application_id"] for row in rows]

    def _put_label(self, transaction: sqlite3.Connection, label: Label) -> str:
        place = (label.application_id, label.rater)
        stored = transaction.execute(
            "SELECT * FROM labels WHERE application_id = ? AND rater = ?", place
        ).fetchone()
        if stored is None:
            values = (*place, label.score, label.resume, label.job_description, label.label_time)
            transaction.execute(
                "INSERT INTO labels (application_id, rater, score, resume, job_description, label_time, "
                "is_held_out) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*values, self._is_held_out(transaction, label.application_id)),
            )
            return "new"
        # A topic may be read again from its beginning: what is older than the stored one is known.
        if label.label_time < stored["label_time"]:
            return "repeated"
        is_changed = label.score != stored["score"] or any(
            given not in (None, stored[name])
            for name, given in (("resume", label.resume), ("job_description", label.job_description))
        )
        transaction.execute(
            "UPDATE labels SET score = ?, resume = COALESCE(?, resume), label_time = ?, "
            "job_description = COALESCE(?, job_description) WHERE application_id = ? AND rater = ?",
            (label.score, label.resume, label.label_time, label.job_description, *place),
        )
        if is_changed:
            transaction.execute(
                "UPDATE labels SET run_id = NULL, num_rejections = 0, quarantine_time = NULL "
                "WHERE application_id = ? AND rater = ?",
                place,
            )
        return "replaced" if is_changed else "repeated"

    def _is_held_out(self, transaction: sqlite3.Connection, application_id: str) -> bool:
        decided = transaction.execute(
            "SELECT is_held_out FROM labels WHERE application_id = ? LIMIT 1", (application_id,)
        ).fetchone()
        return bool(decided[0]) if decided is not None else share_of(application_id) < self._held_out_share


def share_of(application_id: str) -> float:
    """Returns a number from 0 up to 1 that depends on the id alone, evenly spread over ids."""
    digest = hashlib.sha256(application_id.encode()).digest()[:_HASH_BYTES]
    share: float = int.from_bytes(digest) / 2 ** (8 * _HASH_BYTES)
    return share


def _put_application(transaction: sqlite3.Connection, application: SeenApplication) -> None:
    transaction.execute(
        "INSERT OR REPLACE INTO applications VALUES (?, ?, ?, ?, ?)",
        (
            application.application_id,
            application.job_id,
            application.resume,
            application.job_description,
            application.seen_time,
        ),
    )


def _put_job(transaction: sqlite3.Connection, job: PostedJob) -> None:
    row = transaction.execute(
        "SELECT is_deleted, version, post_time_ms, partition, offset, time_ms FROM posted_jobs "
        "WHERE job_id = ?",
        (job.job_id,),
    ).fetchone()
    if row is None or job.standing.replaces(Standing(bool(row[0]), *row[1:])):
        transaction.execute(
            "INSERT OR REPLACE INTO posted_jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (job.job_id, job.text, *astuple(job.standing)),
        )
