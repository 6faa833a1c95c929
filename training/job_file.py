"""One training run as a file describes it, so that a service can start it as a process of its own."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from services.contracts.errors import SettingsInvalid
from services.scoring.base_model import BaseModelSpec, load_base_model
from training.configuration import parse_config, read_mapping
from training.dataset import read_labelled_pairs
from training.fine_tuning import FineTuningResult, TrainingData, fine_tune

PROGRESS_FILE = "progress.json"


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What a job file holds.

    Attributes:
        data: JSON lines of labelled pairs.
        output: the adapter's folder.
        validation: JSON lines to choose the best checkpoint by, or None to split some off.
        initial_adapter: adapter to go on from, or None.
        config: fields of ``FineTuningConfig``.
    """

    data: Path
    output: Path
    validation: Path | None = None
    initial_adapter: Path | None = None
    config: dict[str, Any] = field(default_factory=dict)


def load_job(path: Path) -> TrainingJob:
    """Reads a job file.

    Raises:
        SettingsInvalid: it cannot be read, or a field is missing, unknown or unparsable; names it.
    """
    strict = with_config(ConfigDict(extra="forbid"))(TrainingJob)
    try:
        return TypeAdapter(strict).validate_python(read_mapping(path))
    except ValidationError as error:
        item = error.errors(include_url=False)[0]
        raise SettingsInvalid(f"{path}: {'.'.join(map(str, item['loc']))}: {item['msg']}") from error


def run_job(job: TrainingJob, base: BaseModelSpec, progress: Callable[[str], None]) -> FineTuningResult:
    """Runs a job, from its last checkpoint where there is one; ``progress.json`` in its folder follows it.

    Raises:
        InvalidInput: a row of the data is bad.
        SettingsInvalid: the config is bad.
        ModelUnavailable: the base model cannot be loaded.
        TrainingDiverged, TrainingOutOfMemory: the run failed.
    """
    config = parse_config(job.config, "config")
    data = TrainingData(
        read_labelled_pairs(job.data),
        file_digest(job.data),
        read_labelled_pairs(job.validation) if job.validation else None,
        job.initial_adapter,
    )
    job.output.mkdir(parents=True, exist_ok=True)

    def tell(line: str) -> None:
        progress(line)
        _write_progress(job.output, {"state": "RUNNING", "message": line})

    try:
        model = load_base_model(base, tell)
        result = fine_tune(model, data, job.output, config, resume=True, progress=tell)
    except BaseException as error:
        _write_progress(job.output, {"state": "FAILED", "message": type(error).__name__})
        raise
    _write_progress(
        job.output,
        {"state": "SUCCEEDED", "num_steps": result.num_steps, "validation_loss": result.validation_loss},
    )
    return result


def file_digest(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_progress(folder: Path, content: dict[str, Any]) -> None:
    partial = folder / f".{PROGRESS_FILE}.{os.getpid()}"
    partial.write_text(json.dumps(content) + "\n", "utf-8")
    partial.replace(folder / PROGRESS_FILE)
