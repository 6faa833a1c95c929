"""Settings of a command that a person runs, as opposed to a service."""

import logging
from pathlib import Path
from typing import Any

from services.process.logging import COMMAND, configure_logging
from services.process.settings import Settings, load_settings


def load_command_settings(**overrides: Any) -> Settings:
    """Reads the settings and keeps libraries quiet: a command says what is wrong once, in one line.

    Args:
        overrides: values that win over environment and file.

    Raises:
        SettingsInvalid: a setting is unknown or unparsable.
    """
    settings = load_settings(**overrides)
    configure_logging(settings, COMMAND)
    logging.disable(logging.ERROR)
    return settings


def adapter_settings(adapter: Path | None) -> Settings:
    """Reads the settings, with the adapter of a folder where one is given; see ``load_command_settings``."""
    return load_command_settings(**({"adapter": str(adapter)} if adapter else {}))
