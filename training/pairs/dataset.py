"""Reads labelled and unlabelled pairs from JSON lines; every error names its row."""

import dataclasses
import json
from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import InputFault
from services.contracts.scoring import CATEGORY_FLOORS, MAX_SCORE, category_of
from services.scoring.reading.identity.identity_masking import mask_identity
from services.scoring.reading.texts.text_cleaning import clean_text

_CATEGORIES = tuple(name for name, _ in CATEGORY_FLOORS)
Row = TypeVar("Row", "Pair", "LabelledPair")
# A file of bad rows is mostly one mistake; these are enough to see it.
_MAX_TOLD_ROWS = 20
# So many labels that are all 0 or 1 are classes, not scores.
_MIN_ROWS_OF_A_SCALE = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """One row to score.

    Attributes:
        row: line number in its file, from 1.
        resume: the resume's text.
        job_description: the job's text.
        fields: the whole row, as it was read.
    """

    row: int
    resume: str = field(repr=False)
    job_description: str = field(repr=False)
    fields: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """One row with a person's judgement.

    Attributes:
        pair: the texts.
        score: the judged score, 0 to 100.
        category: the judged category, or that of the score where the row has none.
    """

    pair: Pair
    score: float
    category: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that holds no pair.

    Attributes:
        row: line number in its file, from 1.
        fields: what could be read of it.
        error: names the row and the field.
    """

    row: int
    fields: dict[str, Any] = field(repr=False)
    error: InvalidInput


def read_rows(path: Path) -> list[Pair | BadRow]:
    """Reads ``{"resume", "job_description", ...}`` rows, good and bad, in their order.

    Raises:
        InvalidInput: the file cannot be read.
    """
    return [_pair(row, line) for row, line in enumerate(_lines(path), start=1) if line.strip()]


def read_pairs(path: Path) -> list[Pair]:
    """Reads ``{"resume", "job_description", ...}`` rows.

    Raises:
        InvalidInput: a row is no JSON object, or a text is missing or empty; names the first bad rows and
            their fields.
    """
    return _all_good(read_rows(path))


def read_labelled_pairs(path: Path) -> list[LabelledPair]:
    """Reads ``{"resume", "job_description", "score", "category"?}`` rows.

    Raises:
        InvalidInput: as ``read_pairs``, or a label is missing or out of range, or all are from 0 to 1.
    """
    labels = _all_good([row if isinstance(row, BadRow) else _labelled(row) for row in read_rows(path)])
    _refuse_unit_scale(labels)
    return labels


def mask_pair(labelled: LabelledPair) -> LabelledPair:
    """Returns the pair without what tells who wrote the resume, as scorers see it by default."""
    resume = mask_identity(labelled.pair.resume)
    return dataclasses.replace(labelled, pair=dataclasses.replace(labelled.pair, resume=resume))


def is_number(value: Any) -> TypeGuard[int | float]:
    """Returns whether a field of JSON is a number; Python counts ``true`` as one."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def bad_row(row: int, name: str, description: str) -> InvalidInput:
    """Returns the error that names a row and its field."""
    return InvalidInput(InputFault.BAD_ROW, [FieldViolation(f"row {row}: {name}", description)])


def _all_good(rows: Sequence[Row | BadRow]) -> list[Row]:
    bad = [row for row in rows if isinstance(row, BadRow)]
    if bad:
        violations = [violation for row in bad[:_MAX_TOLD_ROWS] for violation in row.error.violations]
        if len(bad) > _MAX_TOLD_ROWS:
            violations.append(FieldViolation("and", f"{len(bad) - _MAX_TOLD_ROWS} more rows"))
        raise InvalidInput(InputFault.BAD_ROW, violations)
    return [row for row in rows if not isinstance(row, BadRow)]


def _labelled(pair: Pair) -> LabelledPair | BadRow:
    score = pair.fields.get("score")
    if not is_number(score) or not 0 <= score <= MAX_SCORE:
        error = bad_row(pair.row, "score", f"must be a number from 0 to {MAX_SCORE}")
        return BadRow(pair.row, pair.fields, error)
    category = pair.fields.get("category") or category_of(score)
    if category not in _CATEGORIES:
        error = bad_row(pair.row, "category", f"must be one of {', '.join(_CATEGORIES)}")
        return BadRow(pair.row, pair.fields, error)
    return LabelledPair(pair, float(score), category)


def _refuse_unit_scale(labels: Sequence[LabelledPair]) -> None:
    scores = [label.score for label in labels]
    if not 0 < max(scores, default=0) <= 1:
        return
    if len(scores) >= _MIN_ROWS_OF_A_SCALE or not all(map(float.is_integer, scores)):
        description = f"all {len(scores)} are from 0 to 1; scores run from 0 to {MAX_SCORE}: multiply them"
        raise InvalidInput(InputFault.BAD_SCALE, [FieldViolation("score", description)])


def _lines(path: Path) -> list[bytes]:
    try:
        # A byte order mark is no part of the first row.
        return path.read_bytes().removeprefix(BOM_UTF8).splitlines()
    except OSError as error:
        raise InvalidInput(
            InputFault.UNREADABLE_FILE, [FieldViolation(str(path), error.strerror or "cannot be read")]
        ) from error


def _pair(row: int, line: bytes) -> Pair | BadRow:
    fields: dict[str, Any] = {}
    try:
        fields = _fields(row, line)
        return Pair(row, _text(row, fields, "resume"), _text(row, fields, "job_description"), fields)
    except InvalidInput as error:
        return BadRow(row, fields, error)


def _fields(row: int, line: bytes) -> dict[str, Any]:
    def unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) < len(members):
            raise bad_row(row, "line", "holds a name twice in one object")
        return found

    try:
        fields = json.loads(line, object_pairs_hook=unique)
    except ValueError as error:
        raise bad_row(row, "line", "is no JSON") from error
    except RecursionError as error:
        raise bad_row(row, "line", "is nested too deeply") from error
    if not isinstance(fields, dict):
        raise bad_row(row, "line", "is no JSON object")
    return fields


def _text(row: int, fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise bad_row(row, name, "must be text that is not empty")
    if not clean_text(value):
        raise bad_row(row, name, "holds no readable text")
    return value
