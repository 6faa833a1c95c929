"""Every setting with its description, as ``resume-scorer settings`` and docs/settings.md show them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.process.settings.grpc import AccessSettings, ApiSettings
from services.process.settings.kafka import BrokerSettings, KafkaSettings
from services.process.settings.loading import Settings, variable_of
from services.process.settings.operation import AuditLogSettings, LogSettings, OperationSettings
from services.process.settings.rollout import RolloutSettings
from services.process.settings.trainer import (
    AuditSettings,
    TrainerSettings,
    TrainingPolicySettings,
    TrainingSetSettings,
)
from services.process.settings.worker import WorkerSettings

SECTIONS: dict[str, type[BaseModel]] = {
    "Model": ModelSettings,
    "Engine": EngineSettings,
    "Kafka": KafkaSettings,
    "Published adapters": RolloutSettings,
    "Worker": WorkerSettings,
    "API": ApiSettings,
    "API: who may call, and how much": AccessSettings,
    "Trainer: when": TrainingPolicySettings,
    "Trainer: on what": TrainingSetSettings,
    "Trainer: how": TrainerSettings,
    "Fairness audit": AuditSettings,
    "Every process": OperationSettings,
    "Every process: logs": LogSettings,
    "Every process: audit log": AuditLogSettings,
    "Development broker": BrokerSettings,
}


@dataclass(frozen=True, slots=True)
class SettingReference:
    """One setting.

    Attributes:
        section: its title.
        variable: the environment variable.
        default: as text.
        values: which are allowed, as text; empty where any of its type is.
        description: one sentence.
    """

    section: str
    variable: str
    default: str
    values: str
    description: str


def all_settings() -> Iterator[SettingReference]:
    """Yields every setting, by section, in the order in which they stand in the code."""
    for title, section in SECTIONS.items():
        for name in section.__annotations__:
            if name in Settings.model_fields:  # and no annotation of pydantic's own
                field = Settings.model_fields[name]
                yield SettingReference(
                    section=title,
                    variable=variable_of(name),
                    default=shown(field.default),
                    values=_values(field),
                    description=" ".join((field.description or "").split()),
                )


def as_markdown() -> str:
    """Returns docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Each is an environment variable, or a key of the TOML file `SCORER_CONFIG_FILE`, there in lower",
        "case and without `SCORER_`. `resume-scorer settings` shows all with their values on this",
        "machine. A bad or unknown one stops the start and is named.",
        "",
        "`make settings` writes this page from `services/process/settings/` and",
        "`services/contracts/engine_settings.py`.",
    ]
    section = ""
    for each in all_settings():
        if each.section != section:
            section = each.section
            lines += ["", f"## {section}", "", "| variable | default | what |", "|---|---|---|"]
        allowed = f" ({each.values})" if each.values else ""
        description = f"{each.description}{allowed}".replace("|", "\\|")
        lines.append(f"| `{each.variable}` | {f'`{each.default}`' if each.default else ''} | {description} |")
    return "\n".join(lines) + "\n"


def shown(value: Any) -> str:
    """Returns a value as text; a secret's stays hidden, and the home folder is written as ~."""
    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Path) and value.is_relative_to(Path.home()):
        return str(Path("~") / value.relative_to(Path.home()))
    return str(value)


def _values(field: FieldInfo) -> str:
    choices = [
        choice for part in (field.annotation, *get_args(field.annotation)) for choice in _literals(part)
    ]
    if choices:
        return ", ".join(dict.fromkeys(map(str, choices)))
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    bounds = [
        f"{words[name]} {getattr(each, name):g}"
        for each in field.metadata
        for name in words
        if getattr(each, name, None) is not None
    ]
    return ", ".join(bounds)


def _literals(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()
