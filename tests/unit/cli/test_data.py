"""``data`` makes files that ``train`` reads, and refuses what it cannot do in one line."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.cli.__main__ import cli
from services.contracts.errors import InvalidInput
from training.pairs.dataset import read_labelled_pairs

FIELDS = ("python kafka services", "nursing intensive care wards", "bread ovens dough")


def run(command: str, *options: object) -> Result:
    return CliRunner().invoke(cli, ["data", command, *map(str, options)])


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """Six jobs and six resumes of three fields, all pairings judged."""
    texts = [
        (f"{words} {at} position wanted", f"worked {at} years {words}") for words in FIELDS for at in "12"
    ]
    rows = [
        {"resume": resume, "job_description": job, "score": 90 if row // 2 == other // 2 else 20}
        for row, (job, _) in enumerate(texts)
        for other, (_, resume) in enumerate(texts)
    ]
    return write(tmp_path / "judged.jsonl", rows)


@pytest.mark.parametrize(("options", "longest"), [((), 9000), (("--brief",), 900)])
def test_synthetic_pairs_are_what_train_reads(tmp_path: Path, options: tuple[str, ...], longest: int) -> None:
    output = tmp_path / "pairs.jsonl"

    answer = run("synthetic", "--pairs", 12, "--output", output, *options)

    assert (answer.exit_code, answer.stdout) == (0, f"12 pairs written to {output}\n")
    pairs = read_labelled_pairs(output)
    assert len(pairs) == 12
    assert max(len(pair.pair.resume) for pair in pairs) < longest


def test_pseudo_labels_are_what_train_reads(judged: Path, tmp_path: Path) -> None:
    output = tmp_path / "more.jsonl"

    answer = run("pseudo-labels", "--data", judged, "--output", output, "--per-job", 3)

    assert (answer.exit_code, answer.stdout) == (0, f"18 pairs from 36 judged ones written to {output}\n")
    assert len(read_labelled_pairs(output)) == 18


def test_pseudo_labels_need_texts_with_words_in_common(tmp_path: Path) -> None:
    data = write(tmp_path / "odd.jsonl", [{"resume": "a", "job_description": "b", "score": 1}])

    answer = run("pseudo-labels", "--data", data, "--output", tmp_path / "out")

    assert isinstance(answer.exception, InvalidInput)
    assert str(answer.exception).startswith(f"{data}: ")


def test_a_second_opinion_is_what_train_reads(tmp_path: Path) -> None:
    rows = [
        {"resume": f"r{at}", "job_description": "j", "score": at, "predicted_score": -at} for at in range(5)
    ]
    data, output = write(tmp_path / "predicted.jsonl", rows), tmp_path / "blended.jsonl"

    answer = run("second-opinion", "--data", data, "--output", output, "--share", 1)

    assert (answer.exit_code, answer.stdout) == (0, f"5 pairs written to {output}\n")
    assert [pair.score for pair in read_labelled_pairs(output)] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("command", ["pseudo-labels", "second-opinion"])
def test_a_bad_row_is_named(tmp_path: Path, command: str) -> None:
    data = write(tmp_path / "bad.jsonl", [{"resume": "r", "job_description": "j", "score": 101}])

    answer = run(command, "--data", data, "--output", tmp_path / "out")

    assert isinstance(answer.exception, InvalidInput)
    assert str(answer.exception).startswith("row 1: score: ")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    output = tmp_path / "none" / "pairs.jsonl"

    answer = run("synthetic", "--pairs", 1, "--output", output)

    assert isinstance(answer.exception, InvalidInput)
    assert str(answer.exception) == f"cannot write {output}: No such file or directory"


@pytest.mark.parametrize(
    "options",
    [
        ("synthetic", "--pairs", "0"),
        ("second-opinion", "--share", "1.1"),
        ("pseudo-labels", "--per-job", "0"),
        ("pseudo-labels", "--max-characters", "-1"),
        ("pseudo-labels", "--max-characters", "9", "--min-characters", "10"),
        ("pseudo-labels", "--max-characters", "9", "--min-characters", "0"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(judged: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    command, *others = options
    files = ("--output", tmp_path / "out", *(() if command == "synthetic" else ("--data", judged)))

    answer = run(command, *files, *others)

    assert answer.exit_code == 2
    assert others[-2] in answer.output
    assert not (tmp_path / "out").exists()
