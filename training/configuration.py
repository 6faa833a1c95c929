"""Reads how to fine-tune from a YAML file."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from services.contracts.errors import SettingsInvalid
from training.fine_tuning import FineTuningConfig


def load_config(path: Path | None) -> FineTuningConfig:
    """Reads a YAML mapping of ``FineTuningConfig``'s fields; what it does not name keeps its default.

    Args:
        path: the file, or None for the defaults.

    Raises:
        SettingsInvalid: the file cannot be read, or a key is unknown or unparsable; names it.
    """
    if path is None:
        return FineTuningConfig()
    try:
        content: Any = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsInvalid(f"{path}: is no readable YAML file") from error
    strict = with_config(ConfigDict(extra="forbid"))(FineTuningConfig)
    try:
        return TypeAdapter(strict).validate_python(content)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'file'}: {item['msg']}"
            for item in error.errors(include_url=False)
        )
        raise SettingsInvalid(f"{path}: {problems}") from error
