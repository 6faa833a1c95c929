"""A run as a process of its own, from a job file."""

import json
import subprocess
from pathlib import Path

import pytest

from services.adapters.adapter_folder import read_adapter
from services.contracts.errors import SettingsInvalid
from services.contracts.training_run import COMPARISON_FILE
from tests.doubles.processes.forked import run_forked
from tests.unit.training.learnable_pairs import learnable_pairs
from training.job import load_job


def write_job(folder: Path, **fields: object) -> Path:
    rows = [
        {"resume": pair.pair.resume, "job_description": pair.pair.job_description, "score": pair.score}
        for pair in learnable_pairs()
    ]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    job = {"data": str(folder / "data.jsonl"), "output": str(folder / "adapter"), **fields}
    (folder / "job.json").write_text(json.dumps(job))
    return folder / "job.json"


def run(job: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    chosen = {"SCORER_BASE_MODEL": "random:tiny-gemma-3", "SCORER_DTYPE": "float32"}
    return run_forked("training", "--job", str(job), **chosen | variables)


@pytest.mark.slow
def test_a_job_trains_an_adapter_and_tells_its_progress(tmp_path: Path) -> None:
    job = write_job(
        tmp_path,
        config={"rank": 4, "epochs": 1, "max_prompt_tokens": 256, "validation_share": 0.5},
        held_out=str(tmp_path / "held_out.jsonl"),
    )
    rows = (tmp_path / "data.jsonl").read_text()
    nothing_but_a_name = json.dumps(json.loads(rows.splitlines()[0]) | {"resume": "Name: Ada Example"})
    (tmp_path / "held_out.jsonl").write_text(f"{rows}{nothing_but_a_name}\n")

    done = run(job, SCORER_MAX_PROMPT_TOKENS="220")

    assert done.returncode == 0, done.stderr
    assert "step 1/1" in done.stderr
    assert read_adapter(tmp_path / "adapter").base_model_digest
    progress = json.loads((tmp_path / "adapter" / "progress.json").read_text("utf-8"))
    assert (progress["state"], progress["num_steps"]) == ("SUCCEEDED", 1)
    assert progress["validation_loss"] > 0
    comparison = json.loads((tmp_path / "adapter" / COMPARISON_FILE).read_text("utf-8"))
    assert (comparison["num_pairs"], comparison["num_left_out"]) == (12, 1)


@pytest.mark.slow
def test_a_failed_job_says_why_and_exits_with_an_error(tmp_path: Path) -> None:
    job = write_job(tmp_path, config={"rank": 4, "max_prompt_tokens": 128})
    rows = map(json.loads, (tmp_path / "data.jsonl").read_text().splitlines())
    # Masked, nothing is left to learn from.
    nothing = [json.dumps(row | {"resume": "Name: Ada Example"}) for row in rows]
    (tmp_path / "data.jsonl").write_text("\n".join(nothing))

    done = run(job)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr
    assert json.loads((tmp_path / "adapter" / "progress.json").read_text("utf-8"))["state"] == "FAILED"


@pytest.mark.parametrize(("field", "value"), [("output", None), ("dta", "x"), ("config", 3)])
def test_a_bad_field_is_named(tmp_path: Path, field: str, value: object) -> None:
    job = write_job(tmp_path, **{field: value})

    with pytest.raises(SettingsInvalid, match=field):
        load_job(job)
