"""Fetches a base model from the model hub, and says what is wrong where it gives none."""

import os
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from services.contracts.errors import ModelUnavailable

_FILES = ["*.json", "*.safetensors"]
_UNAUTHORIZED = 401


def fetch_from_hub(name: str, bundled_name: str) -> Path:
    """Returns the folder of a hub model's files in the hub's cache, fetching what is not there.

    A token is taken from ``HF_TOKEN``, as huggingface_hub does.

    Args:
        name: as the hub spells it, such as ``google/gemma-2-2b-it``.
        bundled_name: the one name that needs no hub, for errors.

    Raises:
        ModelUnavailable: it is gated, the token is refused, there is no such model, or no network.
    """

    try:
        return Path(snapshot_download(name, allow_patterns=_FILES))
    except HFValidationError as error:
        raise ModelUnavailable(
            f"base model {name}: neither '{bundled_name}', a folder, nor a name that the model hub could have"
        ) from error
    except OSError as error:
        raise ModelUnavailable(f"base model {name}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    has_token = bool(os.environ.get("HF_TOKEN"))
    if isinstance(error, GatedRepoError):
        return "the model hub gives it only to those who accepted its licence on its page there; " + (
            "the account of HF_TOKEN has not, or waits for an answer"
            if has_token
            else "then set HF_TOKEN to a token of that account"
        )
    if isinstance(error, RepositoryNotFoundError):
        return "the model hub has no model of this name (a typo?), or a private one that " + (
            "the account of HF_TOKEN may not read" if has_token else "needs HF_TOKEN"
        )
    if isinstance(error, HfHubHTTPError) and error.response.status_code == _UNAUTHORIZED:
        return "the model hub refuses the token in HF_TOKEN"
    if isinstance(error, LocalEntryNotFoundError):
        cause = error.__cause__
        if isinstance(cause, OfflineModeIsEnabled):
            return "not in the hub's cache, and HF_HUB_OFFLINE forbids to fetch it"
        return f"not in the hub's cache, and the model hub cannot be reached ({type(cause).__name__})"
    return f"the model hub did not give it ({type(error).__name__})"
