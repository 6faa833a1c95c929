"""One training run as a file describes it, so that a service can start it as a process of its own."""

import gc
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from services.adapters.adapter_folder import METADATA_FILE, WEIGHTS_FILE, read_adapter
from services.adapters.manifest import verify_manifest
from services.contracts.engine_settings import ModelSettings
from services.contracts.errors import AdapterIncompatible, SettingsInvalid
from services.contracts.reading import DEFAULT_MAX_PROMPT_TOKENS
from services.scoring.model.base_model import load_base_model
from training.comparison import COMPARISON_FILE, compare_adapters, write_comparison
from training.configuration import FineTuningConfig, parse_config, plain_fields, read_mapping
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
        held_out: JSON lines of labelled pairs to compare the adapter on with the one it started from
            (``initial_adapter``, or the base model alone), or None for no comparison. They are scored as
            scorers do, and ``comparison.json`` in the adapter's folder tells what came of it:
            ``{"num_pairs", "num_left_out", "active", "candidate"}``, the last two with ``adapter_digest``,
            ``mean_absolute_error``, ``spearman``, ``expected_calibration_error`` and
            ``negative_log_likelihood``.
        config: fields of ``FineTuningConfig``.
    """

    data: Path
    output: Path
    validation: Path | None = None
    initial_adapter: Path | None = None
    held_out: Path | None = None
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


def run_job(
    job: TrainingJob,
    base: ModelSettings,
    progress: Callable[[str], None],
    *,
    max_prompt_tokens: int = DEFAULT_MAX_PROMPT_TOKENS,
) -> FineTuningResult:
    """Runs a job, from where it was interrupted; ``progress.json`` in its folder follows it.

    Training goes on from the last checkpoint. If the adapter was exported already, by a job of the same data,
    configuration and initial adapter, only the comparison is made.

    Args:
        job: what to do.
        base: the base model.
        progress: told one line at a time.
        max_prompt_tokens: longest prompt that scorers take, for the comparison.

    Raises:
        InvalidInput: a row of the data is bad.
        SettingsInvalid: the config is bad.
        ModelUnavailable: the base model cannot be loaded.
        TrainingDiverged, TrainingOutOfMemory: the run failed.
        AdapterIncompatible: the initial adapter does not fit, or the new one gives no finite score.
    """
    config = parse_config(job.config, "config")
    held_out = read_labelled_pairs(job.held_out) if job.held_out else ()
    job.output.mkdir(parents=True, exist_ok=True)

    def tell(line: str) -> None:
        progress(line)
        _write_progress(job.output, {"state": "RUNNING", "message": line})

    try:
        result = _finished_run(job, config) or _train(job, config, base, tell)
        if job.held_out is not None:
            gc.collect()  # the trained model hangs in cycles; the comparison loads its own
            write_comparison(
                job.output,
                compare_adapters(
                    base,
                    job.initial_adapter,
                    job.output,
                    held_out,
                    max_prompt_tokens=max_prompt_tokens,
                    is_identity_masked=config.mask_identity,
                    progress=tell,
                ),
            )
    except BaseException as error:
        _write_progress(job.output, {"state": "FAILED", "message": type(error).__name__})
        raise
    _write_progress(
        job.output,
        {"state": "SUCCEEDED", "num_steps": result.num_steps, "validation_loss": result.validation_loss},
    )
    return result


def _train(
    job: TrainingJob, config: FineTuningConfig, base: ModelSettings, tell: Callable[[str], None]
) -> FineTuningResult:
    (job.output / COMPARISON_FILE).unlink(missing_ok=True)  # it tells of other weights
    data = TrainingData(
        read_labelled_pairs(job.data),
        file_digest(job.data),
        read_labelled_pairs(job.validation) if job.validation else None,
        job.initial_adapter,
    )
    return fine_tune(load_base_model(base, tell), data, job.output, config, resume=True, progress=tell)


def _finished_run(job: TrainingJob, config: FineTuningConfig) -> FineTuningResult | None:
    """Returns what an earlier run of this job exported, or None where it did not come so far."""
    if not (job.output / WEIGHTS_FILE).is_file():  # written last
        return None
    try:
        verify_manifest(job.output)
    except AdapterIncompatible:
        return None
    metadata = json.loads((job.output / METADATA_FILE).read_text("utf-8"))
    initial = read_adapter(job.initial_adapter).digest if job.initial_adapter else ""
    expected = {
        "data_digest": file_digest(job.data),
        "config": plain_fields(config),
        "initial_adapter_digest": initial,
    }
    if any(metadata.get(name) != value for name, value in expected.items()):
        return None
    return FineTuningResult(
        job.output, metadata["num_steps"], metadata["validation_loss"], metadata["metrics"]
    )


def file_digest(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_progress(folder: Path, content: dict[str, Any]) -> None:
    partial = folder / f".{PROGRESS_FILE}.{os.getpid()}"
    partial.write_text(json.dumps(content) + "\n", "utf-8")
    partial.replace(folder / PROGRESS_FILE)
