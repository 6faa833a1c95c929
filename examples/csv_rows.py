"""Rows of a CSV file, checked and named by their line."""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a resume may be longer than csv's own 128 KB


def read_rows(path: Path, required: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields line number and fields of each row.

    Raises:
        SystemExit: a column is missing or a required field is empty; names file, line and column.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in required if name not in (reader.fieldnames or ())]
        if missing:
            raise SystemExit(f"{path}: has no column {', '.join(missing)}")
        for row in reader:
            empty = [name for name in required if not (row[name] or "").strip()]
            if empty:
                raise SystemExit(f"{path}: line {reader.line_num}: {', '.join(empty)} is empty")
            yield reader.line_num, row
