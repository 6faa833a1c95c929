"""Files that are there whole or not at all, whatever kills the process that writes them."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Writes a UTF-8 text; whoever opens the path meanwhile reads the old one or none.

    Raises:
        OSError: it cannot be written; the old one stays.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
