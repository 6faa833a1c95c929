"""Writes made pairs as JSON lines, for the commands that make them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import InputFault


def write_pairs(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Writes rows as JSON lines.

    Raises:
        InvalidInput: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as error:
        violation = FieldViolation(f"cannot write {path}", error.strerror or type(error).__name__)
        raise InvalidInput(InputFault.UNWRITABLE_FILE, [violation]) from error
