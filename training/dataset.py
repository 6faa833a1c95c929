"""Reads labelled and unlabelled pairs from JSON lines; every error names its row."""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.scoring import CATEGORY_FLOORS, MAX_SCORE, category_of
from services.scoring.identity_masking import mask_identity

_CATEGORIES = tuple(name for name, _ in CATEGORY_FLOORS)


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


def read_pairs(path: Path) -> list[Pair]:
    """Reads ``{"resume", "job_description", ...}`` rows.

    Raises:
        InvalidInput: a row is no JSON object, or a text is missing or empty; names the row and the field.
    """
    return [
        Pair(row, _text(row, fields, "resume"), _text(row, fields, "job_description"), fields)
        for row, fields in _rows(path)
    ]


def read_labelled_pairs(path: Path) -> list[LabelledPair]:
    """Reads ``{"resume", "job_description", "score", "category"?}`` rows.

    Raises:
        InvalidInput: as ``read_pairs``, or a label is missing or out of range.
    """
    return [_labelled(pair) for pair in read_pairs(path)]


def mask_pair(labelled: LabelledPair) -> LabelledPair:
    """Returns the pair without what tells who wrote the resume, as scorers see it by default."""
    resume = mask_identity(labelled.pair.resume)
    return dataclasses.replace(labelled, pair=dataclasses.replace(labelled.pair, resume=resume))


def is_number(value: Any) -> TypeGuard[int | float]:
    """Returns whether a field of JSON is a number; Python counts ``true`` as one."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def bad_row(row: int, name: str, description: str) -> InvalidInput:
    """Returns the error that names a row and its field."""
    return InvalidInput("bad_row", [FieldViolation(f"row {row}: {name}", description)])


def _labelled(pair: Pair) -> LabelledPair:
    score = pair.fields.get("score")
    if not is_number(score) or not 0 <= score <= MAX_SCORE:
        raise bad_row(pair.row, "score", f"must be a number from 0 to {MAX_SCORE}")
    category = pair.fields.get("category") or category_of(score)
    if category not in _CATEGORIES:
        raise bad_row(pair.row, "category", f"must be one of {', '.join(_CATEGORIES)}")
    return LabelledPair(pair, float(score), category)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InvalidInput(
            "unreadable_file", [FieldViolation(str(path), error.strerror or "cannot be read")]
        ) from error
    for row, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise bad_row(row, "line", "is no JSON") from error
        if not isinstance(fields, dict):
            raise bad_row(row, "line", "is no JSON object")
        yield row, fields


def _text(row: int, fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise bad_row(row, name, "must be text that is not empty")
    return value
