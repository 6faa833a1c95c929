import json
from pathlib import Path

import pytest

from services.contracts.errors import InvalidInput
from training.dataset import read_labelled_pairs, read_pairs

GOOD = {"resume": "A nurse.", "job_description": "A job.", "score": 70, "other": [1]}


def write(tmp_path: Path, *lines: object) -> Path:
    file = tmp_path / "data.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return file


def test_rows_keep_their_number_their_fields_and_their_category(tmp_path: Path) -> None:
    labels = read_labelled_pairs(write(tmp_path, GOOD, "", {**GOOD, "score": 20, "category": "fair"}))

    assert [label.pair.row for label in labels] == [1, 3]
    assert labels[0].pair.fields == GOOD
    assert [(label.score, label.category) for label in labels] == [(70.0, "good"), (20.0, "fair")]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("[1]", "row 2: line: is no JSON object"),
        ({**GOOD, "resume": " "}, "row 2: resume: must be text"),
        ({**GOOD, "resume": None}, "row 2: resume: must be text"),
        ({**GOOD, "score": True}, "row 2: score: must be a number from 0 to 100"),
        ({**GOOD, "score": -1}, "row 2: score: must be a number from 0 to 100"),
        ({**GOOD, "category": "superb"}, "row 2: category: must be one of excellent, good, fair, poor"),
    ],
)
def test_a_bad_row_is_named_with_its_field(tmp_path: Path, row: object, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        read_labelled_pairs(write(tmp_path, GOOD, row))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_pairs(tmp_path / "none.jsonl")
