"""The commands as programs call them, with a tiny Gemma: exit codes, files, JSON fields."""

import hashlib
import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.processes.forked import Forked, run_forked
from tests.e2e.conftest import StartService

pytestmark = pytest.mark.slow

TINY = {"SCORER_BASE_MODEL": "random:tiny-gemma-3", "SCORER_DTYPE": "float32", "SCORER_DEVICE": "cpu"}
PAIRS = [
    {
        "id": number,
        "job_description": "A job for a nurse.",
        "resume": f"Nurse, {number} years.",
        "score": number * 20,
    }
    for number in range(6)
]


def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return run_forked("services.cli", *arguments, **TINY | variables)


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(pair) + "\n" for pair in PAIRS))
    return file


def test_score_prints_one_object_a_resume_best_first(tmp_path: Path) -> None:
    (tmp_path / "job.txt").write_text("A job for a nurse.")
    resumes = []
    for number in range(3):
        resumes.append(tmp_path / f"{number}.txt")
        resumes[-1].write_text(f"Nurse with {number} years.")
    options = [option for path in resumes for option in ("--resume", str(path))]

    finished = run("score", "--job", str(tmp_path / "job.txt"), *options, "--json")

    assert finished.returncode == 0, finished.stderr
    results = [json.loads(line) for line in finished.stdout.splitlines()]
    assert {result["resume"] for result in results} == {str(path) for path in resumes}
    assert [r["score"] for r in results] == sorted((r["score"] for r in results), reverse=True)
    for result in results:
        assert sum(result["distribution"]) == pytest.approx(1.0)
        assert result["category"] in ("excellent", "good", "fair", "poor")
        assert result["adapter_digest"] == "base"


def test_score_goes_on_without_a_resume_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "job.txt").write_text("A job for a nurse.")
    (tmp_path / "good.txt").write_text("Nurse with ten years.", "utf-8-sig")
    (tmp_path / "latin.txt").write_bytes("Krankenschwester für Kinder".encode("latin-1"))
    (tmp_path / "empty.txt").write_text("\u200b")
    names = [str(tmp_path / name) for name in ("latin.txt", "good.txt", "none.txt", "empty.txt")]
    options = [option for name in names for option in ("--resume", name)]

    finished = run("score", "--job", str(tmp_path / "job.txt"), *options, "--json", "--explain")
    without_job = run("score", "--job", str(tmp_path / "empty.txt"), "--resume", names[1])

    assert finished.returncode == 1
    results = {result["resume"]: result for result in map(json.loads, finished.stdout.splitlines())}
    assert 0 <= results[names[1]]["score"] <= 100
    # A random model's words are none.
    assert results[names[1]]["explanation"] == ""
    assert "no explanation that can be read" in results[names[1]]["explanation_missing"]
    assert {name: results[name]["error"] for name in names if name != names[1]} == {
        names[0]: "must be a text file in UTF-8",
        names[2]: "No such file or directory",
        names[3]: "holds no readable text",
    }
    assert f"{names[2]}: No such file or directory" in finished.stderr
    assert (without_job.returncode, without_job.stderr) == (
        1,
        f"resume-scorer: {names[3]}: holds no readable text\n",
    )


def test_predict_copies_every_field_and_adds_its_own(pairs_file: Path, tmp_path: Path) -> None:
    finished = run("predict", "--data", str(pairs_file), "--output", str(tmp_path / "out.jsonl"))

    assert finished.returncode == 0, finished.stderr
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [{k: row[k] for k in PAIRS[0]} for row in rows] == PAIRS
    for row in rows:
        assert set(row) - set(PAIRS[0]) == {
            "predicted_score",
            "predicted_category",
            "standard_deviation",
            "flags",
            "truncated_tokens",
            "job_truncated_tokens",
            "adapter_digest",
        }
        assert 0 <= row["predicted_score"] <= 100
    assert len({row["predicted_score"] for row in rows}) == len(PAIRS)


def test_a_bad_row_among_good_ones_is_told_in_its_place_and_costs_no_other(tmp_path: Path) -> None:
    deep = '{"resume": ' + "[" * 100_000 + "]" * 100_000 + "}"
    lines = [json.dumps(PAIRS[1]), deep, "{", json.dumps({"resume": "\u200b", "job_description": "y"})]
    (tmp_path / "pairs.jsonl").write_text("\n".join([*lines, json.dumps(PAIRS[2])]) + "\n")

    finished = run(
        "predict", "--data", str(tmp_path / "pairs.jsonl"), "--output", str(tmp_path / "out.jsonl")
    )

    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert finished.returncode == 4
    assert "3 of them could not be scored" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert [row.get("error") for row in rows] == [
        None,
        "row 2: line: is nested too deeply",
        "row 3: line: is no JSON",
        "row 4: resume: holds no readable text",
        None,
    ]
    assert rows[3]["job_description"] == "y"


def test_predict_that_is_killed_leaves_whole_rows_and_goes_on_behind_them(
    pairs_file: Path, tmp_path: Path
) -> None:
    rows = [{**PAIRS[0], "id": n, "resume": f"Nurse, {n} years. " * 40} for n in range(4000)]
    (tmp_path / "many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    output = tmp_path / "out.jsonl"
    options = ("predict", "--data", str(tmp_path / "many.jsonl"), "--output", str(output))
    running = Forked("services.cli", *options, environment=os.environ | TINY)
    while not (output.exists() and output.read_bytes().count(b"\n") > 8):
        assert running.poll() is None
        time.sleep(0.02)
    running.kill()
    running.wait()
    written = output.read_bytes().splitlines()[:8]
    # Ten rows are enough to see that the others are not scored again.
    (tmp_path / "many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:10]))
    output.write_bytes(b"\n".join(written) + b'\n{"id": 8, "resu')

    finished = run(*options, "--resume")
    refused = run("predict", "--data", str(pairs_file), "--output", str(output), "--resume")

    assert finished.returncode == 0, finished.stderr
    assert "8 of 10 rows stand in" in finished.stderr
    assert output.read_bytes().splitlines()[:8] == written
    assert [json.loads(line)["id"] for line in output.read_text().splitlines()] == list(range(10))
    assert refused.returncode == 1
    assert "has more rows than the data" in refused.stderr


def test_evaluate_goes_on_from_the_scores_of_its_report(pairs_file: Path, tmp_path: Path) -> None:
    options = ("evaluate", "--data", str(pairs_file), "--json", "--report", str(tmp_path / "report"))

    nothing_yet = run(*options, "--resume")
    first = run(*options)
    scores = tmp_path / "report" / "scores.jsonl"
    kept = scores.read_text().splitlines()
    scores.write_text("\n".join(kept[:4]) + '\n["cut o')
    second = run(*options, "--resume")

    assert nothing_yet.returncode == 2
    assert "--resume" in nothing_yet.stderr
    assert second.returncode == 0, second.stderr
    assert scores.read_text().splitlines()[:4] == kept[:4]
    figures = [json.loads(finished.stdout) for finished in (first, second)]
    assert figures[0]["mae"] == figures[1]["mae"]
    assert figures[0]["negative_log_likelihood"] == figures[1]["negative_log_likelihood"]


def test_evaluate_prints_its_figures_as_json(pairs_file: Path) -> None:
    finished = run("evaluate", "--data", str(pairs_file), "--json")

    assert finished.returncode == 0, finished.stderr
    figures = json.loads(finished.stdout)
    assert figures["num_pairs"] == len(PAIRS)
    assert figures["mae"] <= figures["rmse"]
    assert -1 <= figures["spearman"] <= 1
    assert 0 <= figures["roc_auc"] <= 1
    assert sum(map(sum, figures["confusion"])) == len(PAIRS)
    assert figures["num_jobs_within"] == 1
    assert figures["within_job_auc"] == figures["roc_auc"]
    assert 0 < figures["negative_log_likelihood"] < 21
    assert sum(found["count"] for found in figures["calibration"]) == len(PAIRS)
    assert set(figures["calibration"][0]) == {"lowest", "highest", "mean_predicted", "mean_label", "count"}


def test_evaluate_prints_a_table_and_writes_a_report_without_the_texts(
    pairs_file: Path, tmp_path: Path
) -> None:
    finished = run("evaluate", "--data", str(pairs_file), "--report", str(tmp_path / "new" / "report"))

    page = (tmp_path / "new" / "report" / "report.html").read_text("utf-8")
    assert finished.returncode == 0, finished.stderr
    for name in (
        "within_job_auc",
        "num_jobs_within",
        "expected_calibration_error",
        "negative_log_likelihood",
    ):
        assert name in finished.stdout
    assert hashlib.sha256(pairs_file.read_bytes()).hexdigest() in page
    assert "nurse" not in re.sub(r"base64,[^\"]+", "", page).lower()
    assert (tmp_path / "new" / "report" / "roc.png").stat().st_size > 1000


def test_a_report_folder_that_cannot_be_made_is_told_before_any_model_is_loaded(
    pairs_file: Path,
) -> None:
    finished = run("evaluate", "--data", str(pairs_file), "--report", str(pairs_file / "report"))

    assert finished.returncode == 2
    assert "--report" in finished.stderr
    assert "loading" not in finished.stderr


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "row 2: line: is no JSON"),
        ('{"resume": "x"}', "row 2: job_description: must be text that is not empty"),
        (
            '{"resume": "x", "job_description": "y", "score": 101}',
            "row 2: score: must be a number from 0 to 100",
        ),
    ],
)
def test_a_bad_row_is_named_before_any_model_is_loaded(tmp_path: Path, line: str, complaint: str) -> None:
    (tmp_path / "bad.jsonl").write_text(json.dumps(PAIRS[0]) + "\n" + line + "\n")

    finished = run("evaluate", "--data", str(tmp_path / "bad.jsonl"))

    assert (finished.returncode, finished.stderr) == (1, f"resume-scorer: {complaint}\n")


def test_a_trained_adapter_is_one_that_evaluate_loads(pairs_file: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("epochs: 1\nrank: 2\nmax_prompt_tokens: 256\n")
    options = ("--data", str(pairs_file), "--output", str(tmp_path / "adapter"), "--config")

    refused = run("train", *options, str(pairs_file))
    trained = run("train", *options, str(tmp_path / "config.yaml"))
    weights = (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes()
    again = run("train", *options, str(tmp_path / "config.yaml"))
    options = ("--adapter", str(tmp_path / "adapter"), "--report", str(tmp_path / "report"))
    evaluated = run("evaluate", "--data", str(pairs_file), *options, "--json")

    assert refused.returncode == 2
    assert trained.returncode == 0, trained.stderr
    assert again.returncode == 2
    assert "holds a finished adapter; --overwrite replaces it" in again.stderr
    assert (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes() == weights
    assert evaluated.returncode == 0, evaluated.stderr
    adapter_digest = json.loads(evaluated.stdout)["adapter_digest"]
    assert len(adapter_digest) == 64
    assert adapter_digest in (tmp_path / "report" / "report.html").read_text("utf-8")
    assert (tmp_path / "report" / "losses.png").is_file()


def test_every_command_explains_itself() -> None:
    for command in (
        "up",
        "worker",
        "api",
        "broker",
        "score",
        "publish",
        "watch",
        "model",
        "predict",
        "evaluate",
    ):
        finished = run(command, "--help")
        assert finished.returncode == 0
        assert "Usage:" in finished.stdout


async def test_what_is_published_is_scored_and_watched(
    desk: KafkaDesk, start_service: StartService, tmp_path: Path
) -> None:
    kafka = {"SCORER_KAFKA_BOOTSTRAP_SERVERS": desk.settings.kafka_bootstrap_servers}
    job = {"job_id": desk.name("j"), "title": "Nurse", "description": "Intensive care."}
    applications = [
        {"application_id": desk.name(f"a{n}"), "job_id": job["job_id"], "resume": f"Nurse {n}."}
        for n in range(3)
    ]
    (tmp_path / "jobs.jsonl").write_text(json.dumps(job))
    (tmp_path / "apps.jsonl").write_text("\n".join(map(json.dumps, applications)))
    (tmp_path / "bad.jsonl").write_text(json.dumps({**applications[0], "resume": ""}))

    assert run("publish", "jobs", str(tmp_path / "jobs.jsonl"), **kafka).returncode == 0
    refused = run("publish", "applications", str(tmp_path / "bad.jsonl"), **kafka)
    assert run("publish", "applications", str(tmp_path / "apps.jsonl"), **kafka).returncode == 0
    start_service("worker")
    scores = await desk.scores(3)
    watched = run("watch", "scores", "--from-beginning", "--count", "3", "--json", **kafka)

    assert refused.returncode == 1
    assert "row 1: resume: is required" in refused.stderr
    assert set(scores) == {"a0", "a1", "a2"}
    assert watched.returncode == 0
    assert len(watched.stdout.splitlines()) == 3


def test_a_broker_that_is_not_there_is_named_in_one_line() -> None:
    finished = run("watch", SCORER_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")

    assert finished.returncode == 1
    assert finished.stderr.splitlines() == [
        "resume-scorer: no Kafka broker answers at 127.0.0.1:1 (SCORER_KAFKA_BOOTSTRAP_SERVERS)"
    ]
