"""Which adapter a process begins with; how the bundled one was made stands in its own README.md."""

from pathlib import Path

from services.contracts.engine_settings import BUNDLED_MODEL, EngineSettings

DEFAULT_ADAPTER_FOLDER = Path(__file__).parents[1] / "scoring" / "gemma-3-270m-adapter"


def adapter_folder(settings: EngineSettings) -> Path | None:
    """Returns the folder of the adapter that the settings name, or None for the base model alone."""
    if settings.adapter == "auto":
        is_bundled = settings.base_model == BUNDLED_MODEL and DEFAULT_ADAPTER_FOLDER.is_dir()
        return DEFAULT_ADAPTER_FOLDER if is_bundled else None
    return None if settings.adapter in ("", "none") else Path(settings.adapter).expanduser()
