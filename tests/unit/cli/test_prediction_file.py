"""Rows are written in their order as they come, and a file that was cut off is gone on with."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.cli.scoring_commands.prediction_file import (
    PredictionFile,
    count_finished,
    failed_row,
    scored_row,
)
from services.contracts.errors import InvalidInput
from services.contracts.scoring import PairRequest
from tests.doubles.scorer import fake_score

ROWS = [{"id": number, "resume": f"Nurse {number}\ud800", "job_description": "A job."} for number in range(4)]
SCORED = [scored_row(row, fake_score(PairRequest("", "A job.", f"Nurse {row['id']}"))) for row in ROWS[:3]]
FAILED = failed_row(ROWS[3], ValueError("row 4: resume: holds no readable text"))
OUTCOMES: list[dict[str, Any]] = [*SCORED, FAILED]


def written(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_rows_stand_in_the_order_of_the_data_and_as_soon_as_they_can(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"

    with PredictionFile(path) as file:
        file.write(1, OUTCOMES[1])
        assert written(path) == []
        file.write(0, OUTCOMES[0])
        assert written(path) == OUTCOMES[:2]
        file.write(3, OUTCOMES[3])
        file.write(2, OUTCOMES[2])

    assert written(path) == OUTCOMES
    assert written(path)[0]["flags"] == []
    assert written(path)[3]["error"].startswith("row 4")


def test_a_run_that_was_cut_off_amid_a_row_goes_on_behind_the_last_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with PredictionFile(path) as file:
        for index in range(3):
            file.write(index, OUTCOMES[index])
    path.write_bytes(path.read_bytes()[:-20])

    done = count_finished(path, ROWS, "base")
    with PredictionFile(path, done[0]) as file:
        for index in (3, 2):
            file.write(index, OUTCOMES[index])

    assert done == (2, 0)
    assert written(path) == OUTCOMES
    assert count_finished(path, ROWS, "base") == (4, 1)


def test_a_file_that_is_missing_has_no_rows_and_a_new_run_begins_one_anew(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"

    assert count_finished(path, ROWS, "base") == (0, 0)
    path.write_text("something else\n")
    with PredictionFile(path) as file:
        file.write(0, OUTCOMES[0])

    assert written(path) == OUTCOMES[:1]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["{"], "row 1 is not that of the data"),
        (["[1]"], "row 1 is not that of the data"),
        ([json.dumps({**SCORED[0], "id": 7})], "row 1 is not that of the data"),
        ([json.dumps({**SCORED[0], "adapter_digest": "other"})], "row 1 was scored by another adapter"),
        ([json.dumps(SCORED[0])] + [json.dumps({})] * 4, "row 5 has more rows than the data"),
    ],
)
def test_another_file_is_not_gone_on_with(tmp_path: Path, lines: list[str], complaint: str) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))

    with pytest.raises(InvalidInput, match=complaint.replace(" ", ":? ")):
        count_finished(path, ROWS, "base")
