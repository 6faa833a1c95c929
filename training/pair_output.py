"""Writes made pairs as JSON lines, for the commands that make them."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def write_pairs(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Writes rows as JSON lines."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_pairs_or_exit(parser: argparse.ArgumentParser, path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Writes rows; where the file cannot be written, says why in one line and exits with 1."""
    try:
        write_pairs(path, rows)
    except OSError as error:
        parser.exit(1, f"cannot write {path}: {error.strerror}\n")
