"""The adapter that comes with the bundled model; how it was made stands in its own README.md."""

from pathlib import Path

from services.scoring.model.bundled_model import BUNDLED_MODEL

DEFAULT_ADAPTER_FOLDER = Path(__file__).parents[1] / "gemma-3-270m-adapter"


def default_adapter_of(base_model: str) -> Path | None:
    """Returns the folder of a base model's default adapter, or None where it has none.

    Args:
        base_model: as in the settings.
    """
    return DEFAULT_ADAPTER_FOLDER if base_model == BUNDLED_MODEL and DEFAULT_ADAPTER_FOLDER.is_dir() else None
