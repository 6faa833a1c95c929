"""The adapter that comes with the bundled model; how it was made stands in its own README.md."""

from pathlib import Path

from services.scoring.bundled_model import BUNDLED_MODEL

DEFAULT_ADAPTER_FOLDER = Path(__file__).parent / "gemma-3-270m-adapter"


# The bundled adapter was trained on resumes cut so. Whole ones take twice the time and rank about as well:
# its card has the figures.
_BUNDLED_RESUME_TOKENS = 512


def default_resume_tokens_of(base_model: str) -> int:
    """Returns how many tokens of a resume are read with a base model's default adapter; 0 is no limit.

    Args:
        base_model: as in the settings.
    """
    return _BUNDLED_RESUME_TOKENS if base_model == BUNDLED_MODEL else 0


def default_adapter_of(base_model: str) -> Path | None:
    """Returns the folder of a base model's default adapter, or None where it has none.

    Args:
        base_model: as in the settings.
    """
    return DEFAULT_ADAPTER_FOLDER if base_model == BUNDLED_MODEL and DEFAULT_ADAPTER_FOLDER.is_dir() else None
