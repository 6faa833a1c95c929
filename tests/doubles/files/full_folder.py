"""A folder on a disk that is full for a while."""

import os
from pathlib import Path
from typing import Any

import pytest


class FullFolder:
    """Makes ``os.write`` fail for the files of a folder while ``is_full``.

    Args:
        folder: where there is no room.
        monkeypatch: of the test.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = True
        real = os.write

        def write(file: int, content: Any) -> int:
            if self.is_full and os.readlink(f"/proc/self/fd/{file}").startswith(f"{folder}/"):
                raise OSError(28, "No space left on device")
            return real(file, content)

        monkeypatch.setattr("os.write", write)
