"""Runs in SQLite: one at a time, found again, told apart."""

import sqlite3

import pytest

from services.training_service.runs.run_store import Request, RunState, RunStore


def test_there_is_never_a_second_run(runs: RunStore) -> None:
    run = runs.create("new_labels")
    with pytest.raises(sqlite3.IntegrityError):
        runs.create("requested")
    assert runs.unfinished() == run

    runs.advance(run, RunState.RUNNING, "v1")
    runs.advance(run, RunState.SUCCEEDED)
    found = runs.unfinished()
    assert found is not None
    assert (found.state, found.initial_version) == (RunState.SUCCEEDED, "v1")

    runs.finish(run, RunState.REJECTED, "worse")
    assert runs.unfinished() is None
    assert runs.create("requested").run_id == run.run_id + 1
    assert [each.message for each in runs.latest(2)] == ["", "worse"]


def test_a_request_lasts_until_a_run_is_created(runs: RunStore) -> None:
    runs.request(Request.TRAIN)
    runs.request(Request.TRAIN)
    assert runs.is_requested(Request.TRAIN)
    assert not runs.is_requested(Request.CANCEL)

    runs.create("requested")
    assert not runs.is_requested(Request.TRAIN)


def test_failures_in_a_row_are_counted_from_the_last_success(runs: RunStore) -> None:
    assert runs.failure_streak().num_runs == 0
    for state in (RunState.FAILED, RunState.PUBLISHED, RunState.FAILED, RunState.FAILED):
        runs.finish(runs.create("test"), state, "")
    streak = runs.failure_streak()
    assert streak.num_runs == 2
    assert streak.last_time == runs.latest(1)[0].end_time
    runs.finish(runs.create("test"), RunState.REJECTED, "")
    assert runs.failure_streak().num_runs == 0
