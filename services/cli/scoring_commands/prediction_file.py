"""The file that ``predict`` writes: the rows of its data in their order, as soon as those before are there.

So a run that was cut off leaves whole rows from the first on, and another goes on behind the last of them.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import InputFault
from services.contracts.scoring import PairScore

#: What a scored row holds beside its own fields.
ADDED_FIELDS = (
    "predicted_score",
    "predicted_category",
    "standard_deviation",
    "flags",
    "truncated_tokens",
    "job_truncated_tokens",
    "adapter_digest",
)
#: What a row holds instead that has no score.
ERROR_FIELD = "error"


def scored_row(fields: Mapping[str, Any], score: PairScore) -> dict[str, Any]:
    """Returns a row with its score added."""
    values = (
        score.score,
        score.category,
        score.distribution.standard_deviation,
        list(score.flags),
        score.num_truncated_tokens,
        score.num_job_truncated_tokens,
        score.adapter_digest,
    )
    return {**fields, **dict(zip(ADDED_FIELDS, values, strict=True))}


def failed_row(fields: Mapping[str, Any], error: Exception) -> dict[str, Any]:
    """Returns a row with the reason why it has no score."""
    return {**fields, ERROR_FIELD: str(error)}


class PredictionFile:
    """Takes rows in any order and writes them in that of the data; a context manager.

    Args:
        num_written: rows that stand in it already, from the first on; the rest is cut off.
    """

    def __init__(self, path: Path, num_written: int = 0) -> None:
        self._path = path
        self.num_written = num_written
        self._waiting: dict[int, dict[str, Any]] = {}
        self._file: BinaryIO | None = None

    def __enter__(self) -> "PredictionFile":
        kept = b"".join(_whole_lines(self._path)[: self.num_written])
        self._file = self._path.open("r+b" if self.num_written else "wb")
        self._file.truncate(len(kept))
        self._file.seek(0, os.SEEK_END)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, index: int, row: dict[str, Any]) -> None:
        """Takes the row with this index, from 0, and writes all that are next."""
        assert self._file is not None
        self._waiting[index] = row
        while self.num_written in self._waiting:
            line = json.dumps(self._waiting.pop(self.num_written), ensure_ascii=False) + "\n"
            # Lone surrogates, which JSON may hold and UTF-8 may not, are written as they came: escaped.
            self._file.write(line.encode("utf-8", "backslashreplace"))
            self.num_written += 1
        self._file.flush()


def count_finished(path: Path, rows: Sequence[Mapping[str, Any]], adapter_digest: str) -> tuple[int, int]:
    """Returns how many rows of the data stand in a file of an earlier run, and how many without a score.

    Args:
        path: of the file; it may be missing.
        rows: the fields of the data's rows, in their order.
        adapter_digest: of the adapter that is about to go on.

    Raises:
        InvalidInput: the file holds other rows, or scores of another adapter.
    """
    lines, num_failed = _whole_lines(path), 0
    if len(lines) > len(rows):
        raise _not_ours(path, len(rows) + 1, "has more rows than the data")
    for number, (line, fields) in enumerate(zip(lines, rows, strict=False), start=1):
        try:
            written = json.loads(line)
            own = {name: written[name] for name in fields if name not in (*ADDED_FIELDS, ERROR_FIELD)}
        except (ValueError, KeyError, TypeError, RecursionError):
            raise _not_ours(path, number, "is not that of the data") from None
        if own != {name: fields[name] for name in own}:
            raise _not_ours(path, number, "is not that of the data")
        has_score = "adapter_digest" in written
        if has_score and written["adapter_digest"] != adapter_digest:
            raise _not_ours(path, number, "was scored by another adapter")
        num_failed += not has_score
    return len(lines), num_failed


def _whole_lines(path: Path) -> list[bytes]:
    """Returns the lines of a file without the last one where it was cut off."""
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def _not_ours(path: Path, row: int, description: str) -> InvalidInput:
    return InvalidInput(InputFault.OTHER_OUTPUT, [FieldViolation(f"{path}: row {row}", description)])
