"""Labels that took part in two rejected runs are learned no more, until they change or are released."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from services.training_service.database import DATABASE_FILE, Database
from services.training_service.labels.intake_records import Label
from services.training_service.labels.label_store import LabelStore
from services.training_service.labels.quarantine import Quarantine
from services.training_service.runs.run_store import RunState, RunStore


@pytest.fixture
def quarantine(database: Database) -> Quarantine:
    return Quarantine(database)


def label(application_id: str, score: float = 50.0, label_time: float = 1.0, rater: str = "r") -> Label:
    return Label(application_id, rater, score, label_time, "R", "J")


def reject(labels: LabelStore, runs: RunStore, *application_ids: str) -> int:
    """Takes new labels in and has the run that learns them rejected."""
    labels.apply([label(each) for each in application_ids], {})
    return runs.finish(runs.create("test"), RunState.REJECTED, "worse")


def names(quarantine: Quarantine) -> list[str]:
    return [each.application_id for each in quarantine.labels()]


def test_labels_of_two_rejected_runs_are_learned_no_more_and_later_ones_are(
    labels: LabelStore, runs: RunStore, quarantine: Quarantine
) -> None:
    assert reject(labels, runs, "a", "b") == 0
    assert labels.fresh_applications(0) == ["a", "b"]

    assert reject(labels, runs, "c") == 2

    assert names(quarantine) == ["a", "b"]
    assert labels.fresh_applications(0) == ["c"]
    assert labels.pairs(["a"]) == []
    assert (labels.counts().num_quarantined, labels.counts().num_usable) == (2, 3)


def test_other_ends_of_a_run_count_against_nobody(
    labels: LabelStore, runs: RunStore, quarantine: Quarantine
) -> None:
    reject(labels, runs, "a")
    for state in (RunState.CANCELLED, RunState.FAILED):
        assert runs.finish(runs.create("test"), state, "") == 0

    assert names(quarantine) == []


def test_labels_that_were_learned_or_are_held_out_stay_where_they_are(
    database: Database, labels: LabelStore, runs: RunStore, quarantine: Quarantine
) -> None:
    labels.apply([label("learned")], {})
    runs.finish(runs.create("test"), RunState.PUBLISHED, "")
    LabelStore(database, held_out_share=0.999).apply([label("held-out")], {})
    for _ in range(3):
        reject(labels, runs)

    assert names(quarantine) == []
    assert labels.learned_applications() == ["learned"]


def test_a_corrected_label_comes_out_and_a_repeated_one_does_not(
    labels: LabelStore, runs: RunStore, quarantine: Quarantine
) -> None:
    for _ in range(2):
        reject(labels, runs, "a", "b")

    labels.apply([label("a", score=80.0, label_time=2.0), label("b", label_time=2.0)], {})

    assert names(quarantine) == ["b"]
    assert labels.counts().num_new == 1
    assert runs.finish(runs.create("test"), RunState.REJECTED, "") == 0


def test_released_labels_are_new_again_and_have_two_more_chances(
    labels: LabelStore, runs: RunStore, quarantine: Quarantine
) -> None:
    for _ in range(2):
        reject(labels, runs, "a", "b", "c")

    assert quarantine.release(["a", "unknown"]) == 1
    assert (names(quarantine), labels.counts().num_new) == (["b", "c"], 1)
    assert quarantine.release() == 2
    assert (names(quarantine), labels.counts().num_new) == ([], 3)
    assert reject(labels, runs) == 0


def test_a_file_of_an_earlier_version_gets_what_it_lacks(tmp_path: Path) -> None:
    with closing(Database(tmp_path)) as database:
        LabelStore(database, 0.0).apply([label("a")], {})
    with closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as before, before:
        before.executescript(
            "DROP INDEX labels_by_state; ALTER TABLE labels DROP COLUMN num_rejections;"
            "ALTER TABLE labels DROP COLUMN quarantine_time;"
            "CREATE INDEX labels_counted ON labels (run_id, is_usable, is_held_out, label_time)"
        )

    with closing(Database(tmp_path)) as database:
        labels, runs = LabelStore(database, 0.0), RunStore(database)
        for _ in range(2):
            reject(labels, runs)
        assert names(Quarantine(database)) == ["a"]
