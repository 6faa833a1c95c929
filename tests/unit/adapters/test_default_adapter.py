"""Which adapter a process scores with."""

from pathlib import Path

import pytest

from services.adapters.default_adapter import DEFAULT_ADAPTER_FOLDER, adapter_folder
from services.process.settings import load_settings


@pytest.mark.parametrize(
    ("adapter", "base_model", "expected"),
    [
        ("auto", "random:tiny-gemma-3", None),
        ("auto", "google/gemma-2-2b-it", None),
        ("none", "gemma-3-270m", None),
        ("", "gemma-3-270m", None),
        ("some/folder", "gemma-3-270m", Path("some/folder")),
        ("some/folder", "google/gemma-2-2b-it", Path("some/folder")),
    ],
)
def test_the_default_adapter_goes_with_the_bundled_model_only(
    adapter: str, base_model: str, expected: Path | None
) -> None:
    assert adapter_folder(load_settings(adapter=adapter, base_model=base_model)) == expected


def test_the_bundled_model_comes_with_its_adapter() -> None:
    folder = adapter_folder(load_settings(base_model="gemma-3-270m"))

    assert folder == (DEFAULT_ADAPTER_FOLDER if DEFAULT_ADAPTER_FOLDER.is_dir() else None)
