"""The one settings object of a process, from ``SCORER_*`` environment variables and a TOML file.

Environment variables win over the file named by ``SCORER_CONFIG_FILE``, whose keys are the same
names in lower case without the prefix.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from services.contracts.errors import SettingsInvalid
from services.process.settings.grpc import ApiSettings
from services.process.settings.kafka import BrokerSettings
from services.process.settings.operation import OperationSettings
from services.process.settings.trainer import AuditSettings, TrainerSettings
from services.process.settings.worker import WorkerSettings

PREFIX = "SCORER_"
CONFIG_FILE_VARIABLE = "SCORER_CONFIG_FILE"


class Settings(
    TrainerSettings,
    WorkerSettings,
    ApiSettings,
    OperationSettings,
    AuditSettings,
    BrokerSettings,
    BaseSettings,
):
    """Everything that can be configured; frozen once read.

    It is of every section's type: what takes a section is handed this and sees the section's fields alone.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Reads overrides first, then the environment, then the TOML file; no .env and no secrets folder."""
        config_file = os.environ.get(CONFIG_FILE_VARIABLE)
        if not config_file:
            return init_settings, env_settings
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, toml_file=Path(config_file)),
        )


def load_settings(**overrides: Any) -> Settings:
    """Reads the settings of this process.

    Args:
        overrides: values that win over environment and file.

    Raises:
        SettingsInvalid: a variable or key is unknown or unparsable; the message names it.
    """
    _refuse_unknown_variables(os.environ)
    config_file = os.environ.get(CONFIG_FILE_VARIABLE)
    if config_file and not Path(config_file).is_file():
        raise SettingsInvalid(f"{CONFIG_FILE_VARIABLE}: there is no file {config_file}")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsInvalid(_describe(error)) from error
    except ValueError as error:  # tomllib's errors are ValueErrors
        raise SettingsInvalid(f"{CONFIG_FILE_VARIABLE}: {error}") from error


def variable_of(field: str) -> str:
    """Returns the environment variable of a settings field."""
    return PREFIX + field.upper()


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {variable_of(name) for name in Settings.model_fields} | {CONFIG_FILE_VARIABLE}
    unknown = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SettingsInvalid(f"{', '.join(unknown)}: no such setting")


def _describe(error: ValidationError) -> str:
    # pydantic's own text repeats the value, which may be a password.
    return "; ".join(
        f"{variable_of(str(item['loc'][0])) if item['loc'] else 'settings'}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False)
    )
