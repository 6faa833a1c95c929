"""What stands in the files of a run."""

import json
from pathlib import Path

import pytest

from services.contracts.errors import SettingsInvalid
from services.contracts.training_run import DATA_FILE, HELD_OUT_FILE
from services.process.settings import load_settings
from services.training_service.database import Database
from services.training_service.labels.intake_records import Label
from services.training_service.labels.label_store import LabelStore
from services.training_service.runs.run_store import RunState, RunStore
from services.training_service.runs.training_set import (
    MIN_BASE_PAIRS,
    TrainingSetSummary,
    load_base_set,
    load_golden_set,
    write_training_set,
)


def put(labels: LabelStore, word: str, count: int) -> None:
    labels.apply([Label(f"{word}-{n}", "r", 50.0, 1.0, f"{word} {n}", "J") for n in range(count)], {})


def resumes_of(path: Path) -> set[str]:
    return {json.loads(line)["resume"] for line in path.read_text().splitlines()}


def test_new_labels_are_mixed_with_older_ones_and_the_base_set(
    database: Database, labels: LabelStore, runs: RunStore, tmp_path: Path
) -> None:
    put(labels, "older", 100)
    runs.finish(runs.create("test"), RunState.PUBLISHED, "v1")
    put(labels, "new", 40)
    put(LabelStore(database, held_out_share=1.0), "kept", 7)
    run = runs.create("test")
    settings = load_settings(trainer_replay_share=0.25, trainer_base_share=0.5)

    summary = write_training_set(labels, settings, run.run_id, tmp_path)

    num_golden = len(load_golden_set(settings))
    assert summary == TrainingSetSummary(40, 10, 20, 7, num_golden)
    data, held_out = resumes_of(tmp_path / DATA_FILE), resumes_of(tmp_path / HELD_OUT_FILE)
    assert len([text for text in data if text.startswith("new")]) == 40
    assert len([text for text in data if text.startswith("older")]) == 10
    assert len(data & {pair.resume for pair in load_base_set()}) == 20
    assert {f"kept {n}" for n in range(7)} < held_out
    assert not data & held_out

    before = (tmp_path / DATA_FILE).read_bytes()
    write_training_set(labels, settings, run.run_id, tmp_path)
    assert (tmp_path / DATA_FILE).read_bytes() == before


def test_a_single_label_does_not_stand_alone(labels: LabelStore, runs: RunStore, tmp_path: Path) -> None:
    put(labels, "new", 1)
    summary = write_training_set(labels, load_settings(), runs.create("test").run_id, tmp_path)
    assert (summary.num_new, summary.num_base) == (1, MIN_BASE_PAIRS)


def test_nothing_of_the_golden_set_is_in_the_base_set() -> None:
    base, golden = load_base_set(), load_golden_set(load_settings())
    assert (len(base), len(golden)) == (60, 24)
    assert not {pair.resume for pair in base} & {pair.resume for pair in golden}
    assert not {pair.job_description for pair in base} & {pair.job_description for pair in golden}


def test_another_golden_set_is_taken_or_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text(json.dumps({"resume": "R", "job_description": "J", "score": 3}) + "\n")
    assert [pair.score for pair in load_golden_set(load_settings(trainer_golden_set=str(path)))] == [3.0]
    path.write_text("{}\n")
    with pytest.raises(SettingsInvalid, match="SCORER_TRAINER_GOLDEN_SET"):
        load_golden_set(load_settings(trainer_golden_set=str(path)))
