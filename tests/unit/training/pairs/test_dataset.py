import json
from pathlib import Path

import pytest

from services.contracts.errors import InvalidInput
from training.pairs.dataset import BadRow, Pair, read_labelled_pairs, read_pairs, read_rows

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


def test_every_bad_row_is_named_up_to_a_number(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD, *["{"] * 25)

    with pytest.raises(InvalidInput) as caught:
        read_labelled_pairs(file)

    assert [each.field for each in caught.value.violations[:2]] == ["row 2: line", "row 3: line"]
    assert len(caught.value.violations) == 21
    assert str(caught.value).endswith("and: 5 more rows")


def test_good_and_bad_rows_are_read_side_by_side(tmp_path: Path) -> None:
    deep = "[" * 100_000
    twice = '{"resume": "a", "resume": "b", "job_description": "c"}'

    rows = read_rows(write(tmp_path, GOOD, deep, twice, {**GOOD, "resume": "\u200b"}))

    assert isinstance(rows[0], Pair)
    bad = [row for row in rows if isinstance(row, BadRow)]
    assert [str(row.error) for row in bad] == [
        "row 2: line: is nested too deeply",
        "row 3: line: holds a name twice in one object",
        "row 4: resume: holds no readable text",
    ]
    assert bad[2].fields["score"] == 70


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    assert len(read_labelled_pairs(file)) == 1


@pytest.mark.parametrize("scores", [(0.7, 0.2), (0, 1, 1, 0, 1), (1.0, 0.5, 0)])
def test_labels_from_0_to_1_are_refused(tmp_path: Path, scores: tuple[float, ...]) -> None:
    file = write(tmp_path, *({**GOOD, "score": score} for score in scores))

    with pytest.raises(InvalidInput, match="score: all . are from 0 to 1; scores run from 0 to 100"):
        read_labelled_pairs(file)


@pytest.mark.parametrize("scores", [(1,), (0, 0, 0, 0, 0, 0), (0.5, 1.5), (0, 1)])
def test_low_labels_are_read(tmp_path: Path, scores: tuple[float, ...]) -> None:
    file = write(tmp_path, *({**GOOD, "score": score} for score in scores))

    assert [label.score for label in read_labelled_pairs(file)] == list(scores)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_pairs(tmp_path / "none.jsonl")
