"""Labels in SQLite: joined with their texts, replaced, repeated without effect, never half stored."""

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from services.events.wire.job_records import PostedJob, Standing
from services.training_service.database import DATABASE_FILE, Database
from services.training_service.labels.intake_records import Label, SeenApplication
from services.training_service.labels.label_store import (
    SECONDS_PER_DAY,
    Disagreement,
    LabelStore,
    ReadPosition,
    TrainingPair,
    share_of,
)
from services.training_service.runs.run_store import RunState, RunStore

JOB = PostedJob("j", "A job.")
APPLICATION = SeenApplication("a", "j", "A resume.", None, 1.0)
LABEL = Label("a", "r", 60.0, 1.0)
FULL = Label("full", "r", 60.0, 1.0, "Own resume.", "Own job.")


@pytest.mark.parametrize("records", list(itertools.permutations([JOB, APPLICATION, LABEL])))
def test_a_label_is_usable_once_its_texts_are_there_in_whatever_order(
    labels: LabelStore, records: tuple[PostedJob | SeenApplication | Label, ...]
) -> None:
    for number, record in enumerate(records):
        assert labels.counts().num_usable == 0
        labels.apply([record], {("t", 0): ReadPosition(number + 1)})

    assert (labels.counts().num_usable, labels.counts().num_waiting) == (1, 0)
    assert labels.pairs(["a"]) == [TrainingPair("A resume.", "A job.", 60.0)]
    assert labels.positions() == {("t", 0): ReadPosition(3)}


def test_its_own_texts_come_before_those_of_the_application(labels: LabelStore) -> None:
    inline = SeenApplication("b", "j", "Other resume.", "Inline job.", 1.0)
    own = Label("b", "r", 10.0, 1.0, "Own resume.")
    labels.apply([JOB, inline, own], {})
    assert labels.pairs(["b"]) == [TrainingPair("Own resume.", "Inline job.", 10.0)]


def test_a_later_label_of_the_same_rater_replaces_and_is_new_again(
    labels: LabelStore, runs: RunStore
) -> None:
    labels.apply([FULL], {})
    runs.finish(runs.create("test"), RunState.PUBLISHED, "")
    assert labels.counts().num_new == 0

    outcomes = labels.apply([Label("full", "r", 80.0, 2.0)], {})

    assert outcomes == {"replaced": 1}
    assert (labels.counts().num_usable, labels.counts().num_new) == (1, 1)
    assert labels.pairs(["full"]) == [TrainingPair("Own resume.", "Own job.", 80.0)]


def test_records_that_are_read_again_change_nothing(labels: LabelStore, runs: RunStore) -> None:
    history = [JOB, APPLICATION, LABEL, Label("a", "r", 70.0, 2.0), FULL]
    labels.apply(history, {})
    runs.finish(runs.create("test"), RunState.PUBLISHED, "")

    assert labels.apply(history, {}) == {"repeated": 3}

    assert (labels.counts().num_usable, labels.counts().num_new) == (2, 0)
    assert labels.pairs(["a"])[0].score == 70.0


def test_a_crash_within_a_batch_leaves_neither_label_nor_offset(
    database: Database, labels: LabelStore, tmp_path: Path
) -> None:
    labels.apply([FULL], {("t", 0): ReadPosition(1, 5)})
    # An offset that SQLite cannot hold stands for whatever ends the transaction before its commit.
    with pytest.raises(OverflowError):
        labels.apply([JOB, APPLICATION, LABEL], {("t", 0): ReadPosition(2**70)})

    with closing(Database(tmp_path / "trainer")) as reopened_database:
        reopened = LabelStore(reopened_database, 0.0)
        assert reopened.positions() == {("t", 0): ReadPosition(1, 5)}
        assert (reopened.counts().num_usable, reopened.counts().num_waiting) == (1, 0)
        labels.apply([JOB, APPLICATION, LABEL], {("t", 0): ReadPosition(4)})
        assert reopened.counts().num_usable == 2


def test_raters_who_disagree_are_all_kept_and_the_mean_is_learned(labels: LabelStore) -> None:
    scores = {"r": 60.0, "s": 80.0, "t": 70.0}
    labels.apply([Label("full", rater, score, 1.0, "R", "J") for rater, score in scores.items()], {})
    labels.apply([Label("once", "r", 10.0, 1.0, "R", "J")], {})

    assert labels.counts().num_usable == 4
    assert labels.pairs(["full"])[0].score == 70.0
    assert labels.disagreement() == Disagreement(pytest.approx(40 / 3), 1)


def test_held_out_applications_are_never_trained_on_even_if_the_share_changes(
    database: Database, runs: RunStore
) -> None:
    ids = [f"a-{number}" for number in range(200)]
    half = LabelStore(database, held_out_share=0.5)
    half.apply([Label(name, "r", 50.0, 1.0, "R", "J") for name in ids], {})
    run = runs.create("test")
    held_out = set(half.held_out_applications(1000))
    assert held_out == {name for name in ids if share_of(name) < 0.5}
    assert 70 < len(held_out) < 130
    assert set(half.fresh_applications(run.run_id)) == set(ids) - held_out

    none = LabelStore(database, held_out_share=0.0)
    none.apply([Label(name, "another", 50.0, 1.0, "R", "J") for name in ids], {})
    assert set(none.held_out_applications(1000)) == held_out
    assert half.held_out_applications(3) == sorted(held_out)[:3]


def test_what_a_run_takes_is_learned_once_published_and_fresh_until_then(
    labels: LabelStore, runs: RunStore
) -> None:
    ends = [RunState.PUBLISHED, RunState.REJECTED, RunState.CANCELLED, RunState.FAILED]
    for state in ends:
        labels.apply([Label(state.lower(), "r", 50.0, 1.0, "R", "J")], {})
        runs.finish(runs.create("test"), state, "")
    assert labels.counts().num_new == 1  # those of the failed run start the next one

    last = runs.create("test")
    assert labels.learned_applications() == ["published"]
    assert labels.fresh_applications(last.run_id) == ["cancelled", "failed", "rejected"]


def test_old_texts_and_labels_are_removed(labels: LabelStore) -> None:
    day = SECONDS_PER_DAY
    labels.apply(
        [JOB, SeenApplication("old", "j", "R", None, 0.0), SeenApplication("a", "j", "R", None, day)], {}
    )
    labels.apply([Label("x", "r", 1.0, 0.0, "R", "J"), Label("y", "r", 1.0, 5 * day, "R", "J")], {})

    labels.remove_old(10 * day, application_days=9.5, label_days=6)

    assert labels.counts().num_usable == 1
    labels.apply([Label("old", "r", 1.0, 9 * day), Label("a", "r", 1.0, 9 * day)], {})
    assert (labels.counts().num_usable, labels.counts().num_waiting) == (2, 1)


def test_an_older_posting_of_a_job_replaces_no_newer_one(labels: LabelStore) -> None:
    newer = PostedJob("j", "New words.", Standing(version=2, partition=0, offset=1))
    older = PostedJob("j", "Old words.", Standing(version=1, partition=0, offset=2))

    labels.apply([newer, older, APPLICATION, LABEL], {})

    assert labels.pairs(["a"])[0].job_description == "New words."


def test_a_deleted_job_comes_back_with_a_later_posting_alone(labels: LabelStore) -> None:
    deleted = PostedJob("j", None, Standing(is_deleted=True, partition=0, offset=3))
    older = PostedJob("j", "Old words.", Standing(partition=0, offset=2))

    labels.apply([deleted, older, APPLICATION, LABEL], {})
    assert labels.counts().num_usable == 0

    labels.apply([PostedJob("j", "New words.", Standing(partition=0, offset=4))], {})
    assert labels.pairs(["a"])[0].job_description == "New words."


def test_offsets_of_a_partition_that_is_another_one_by_now_are_not_compared(labels: LabelStore) -> None:
    labels.apply([PostedJob("j", "Old words.", Standing(partition=0, offset=50))], {})

    labels.forget_positions_of_jobs(0)
    labels.apply([PostedJob("j", "New words.", Standing(partition=0, offset=0)), APPLICATION, LABEL], {})

    assert labels.pairs(["a"])[0].job_description == "New words."


def test_jobs_of_a_file_from_before_are_kept_and_replaced_by_any_posting(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as before, before:
        before.execute("CREATE TABLE jobs (job_id TEXT PRIMARY KEY, text TEXT NOT NULL)")
        before.executemany("INSERT INTO jobs VALUES (?, ?)", [("j", "Old words."), ("k", "Kept words.")])

    for _ in range(2):  # the second start finds nothing to move
        with closing(Database(tmp_path)) as database:
            store = LabelStore(database, held_out_share=0.0)
            store.apply([PostedJob("j", "New words.", Standing(partition=0, offset=0))], {})
            kept = SeenApplication("b", "k", "A resume.", None, 1.0)
            store.apply([APPLICATION, LABEL, kept, Label("b", "r", 1.0, 1.0)], {})
            assert [pair.job_description for pair in store.pairs(["a", "b"])] == ["New words.", "Kept words."]
