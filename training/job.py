"""One training run as a file describes it, so that a service can start it as a process of its own."""

import gc
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from services.adapters.adapter_folder import METADATA_FILE, WEIGHTS_FILE, read_adapter
from services.adapters.manifest import verify_manifest
from services.contracts.engine_settings import ModelSettings
from services.contracts.errors import AdapterIncompatible, SettingsInvalid
from services.contracts.reading import DEFAULT_MAX_PROMPT_TOKENS
from services.contracts.training_run import COMPARISON_FILE, PROGRESS_FILE, Progress, TrainingJob
from services.scoring.model.loading.base_model import load_base_model
from training.comparison import compare_adapters
from training.configuration import FineTuningConfig, parse_config, plain_fields
from training.learning.fine_tuning import FineTuningResult, TrainingData, fine_tune
from training.pairs.dataset import read_labelled_pairs


def load_job(path: Path) -> TrainingJob:
    """Reads a job file.

    Raises:
        SettingsInvalid: it cannot be read, or a field is missing, unknown or unparsable; names it.
    """
    try:
        return TrainingJob.read(path)
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"{path}: {error}") from error


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

    def report(state: Progress) -> None:
        state.write(job.output / PROGRESS_FILE)

    def tell(line: str) -> None:
        progress(line)
        report(Progress("RUNNING", line))

    try:
        result = _finished_run(job, config) or _train(job, config, base, tell)
        if job.held_out is not None:
            gc.collect()  # the trained model hangs in cycles; the comparison loads its own
            comparison = compare_adapters(
                base,
                job.initial_adapter,
                job.output,
                held_out,
                max_prompt_tokens=max_prompt_tokens,
                is_identity_masked=config.mask_identity,
                progress=tell,
            )
            comparison.write(job.output / COMPARISON_FILE)
    except BaseException as error:
        report(Progress("FAILED", type(error).__name__))
        raise
    report(Progress("SUCCEEDED", num_steps=result.num_steps, validation_loss=result.validation_loss))
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
