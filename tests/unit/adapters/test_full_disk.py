"""What an adapter's copy meets on this machine: a file where its folder should be, and no room."""

import errno
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from services.adapters import fetching
from services.adapters.fetching import fetch_adapter
from services.contracts.errors import AdapterStoreUnreachable


def test_a_cache_that_cannot_be_written_is_named_and_may_be_tried_again(tmp_path: Path) -> None:
    # Not a folder without permission, which root may write to.
    blocked = tmp_path / "file"
    blocked.write_text("")

    with pytest.raises(AdapterStoreUnreachable, match=str(blocked)):
        fetch_adapter(LocalFileSystem(), str(tmp_path), "0" * 64, blocked / "adapters")


def test_a_full_disk_is_told_and_leaves_no_part_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(_fs: LocalFileSystem, place: str, _digest: str, folder: Path) -> None:
        with fetching.reaching(place):
            (folder / "part").write_text("x")
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetching, "_copy", fill)

    with pytest.raises(AdapterStoreUnreachable, match="No space left"):
        fetch_adapter(LocalFileSystem(), "store", "0" * 64, tmp_path)

    assert list(tmp_path.iterdir()) == []
