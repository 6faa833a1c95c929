"""Searches a grid of settings: one run a combination, resumable, with a table of all of them."""

import dataclasses
import itertools
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from services.contracts.errors import SettingsInvalid
from services.scoring.model.loading.base_model import BaseModel
from training.configuration import FineTuningConfig, parse_config, plain_fields, read_mapping
from training.learning.fine_tuning import FineTuningResult, TrainingData, TrainingOutOfMemory, fine_tune
from training.learning.score_trainer import TrainingDiverged

RESULTS_FILE = "results.jsonl"
BEST_CONFIG_FILE = "best_config.yaml"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grid:
    """The values to try; every combination is one trial. The defaults are the fine-tuning guide's.

    Attributes:
        learning_rate, rank, alpha, batch_size: of ``FineTuningConfig``.
    """

    learning_rate: Annotated[tuple[float, ...], Field(min_length=1)] = (1e-4, 2e-4, 5e-4)
    rank: Annotated[tuple[int, ...], Field(min_length=1)] = (8, 16, 32)
    alpha: Annotated[tuple[int, ...], Field(min_length=1)] = (16, 32)
    batch_size: Annotated[tuple[int, ...], Field(min_length=1)] = (2,)

    def combinations(self) -> list[dict[str, Any]]:
        """Returns the settings of each trial, in a fixed order."""
        names = [field.name for field in dataclasses.fields(self)]
        values = [getattr(self, name) for name in names]
        return [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*values)]


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a search.

    Attributes:
        settings: what it differs in.
        validation_loss: its best, or None where it failed.
        metrics: figures on the validation pairs.
        error: why it failed; empty where it did not.
    """

    settings: dict[str, Any]
    validation_loss: float | None
    metrics: dict[str, Any]
    error: str = ""


def load_grid(path: Path | None) -> Grid:
    """Reads a YAML mapping of lists.

    Raises:
        SettingsInvalid: the file cannot be read, or a name or a value does not fit.
    """
    if path is None:
        return Grid()
    strict = with_config(ConfigDict(extra="forbid"))(Grid)
    try:
        return TypeAdapter(strict).validate_python(read_mapping(path))
    except ValidationError as error:
        item = error.errors(include_url=False)[0]
        raise SettingsInvalid(f"{path}: {'.'.join(map(str, item['loc']))}: {item['msg']}") from error


def tune(
    load_base: Callable[[], BaseModel],
    data: TrainingData,
    output: Path,
    config: FineTuningConfig,
    grid: Grid,
    progress: Callable[[str], None] = log.info,
) -> list[Trial]:
    """Runs the trials that have not been run yet and writes the best configuration.

    Args:
        load_base: gives a fresh base model for each trial.
        data: what to train on; all trials share the split that the config's seed gives.
        output: folder of the results; a second call in it goes on where the first one ended.
        progress: told one line at a time.

    Returns:
        All trials, best first, failed ones last.

    Raises:
        SettingsInvalid: there are no validation pairs to compare by, or a value does not fit.
        InvalidInput: there is nothing to train on.
    """
    if config.validation_share == 0 and not data.validation:
        raise SettingsInvalid("validation_share: must be above 0, or there is nothing to compare by")
    output.mkdir(parents=True, exist_ok=True)
    combinations = grid.combinations()
    configs = [parse_config(plain_fields(config) | chosen, "grid") for chosen in combinations]
    trials = {_key(trial.settings): trial for trial in read_trials(output)}
    for number, (settings, trial_config) in enumerate(zip(combinations, configs, strict=True), start=1):
        if _key(settings) in trials:
            continue
        progress(f"trial {number}/{len(combinations)}: {_key(settings)}")
        folder = output / _folder_name(settings)
        trials[_key(settings)] = trial = _run(load_base(), data, folder, trial_config, settings, progress)
        with (output / RESULTS_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(trial)) + "\n")
    ranked = rank_trials([trials[_key(settings)] for settings in combinations])
    if ranked[0].validation_loss is not None:
        best = plain_fields(config) | ranked[0].settings
        (output / BEST_CONFIG_FILE).write_text(yaml.safe_dump(best, sort_keys=False), "utf-8")
    return ranked


def read_trials(output: Path) -> list[Trial]:
    """Returns the finished trials of a folder; a line that a crash cut short is left out."""
    path = output / RESULTS_FILE
    trials = []
    for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
        try:
            trials.append(Trial(**json.loads(line)))
        except (ValueError, TypeError):
            log.warning("%s: a line is damaged; its trial runs again", path.name)
    return trials


def rank_trials(trials: Sequence[Trial]) -> list[Trial]:
    """Returns the trials by validation loss, lowest first and failed ones last."""
    return sorted(
        trials, key=lambda trial: float("inf") if trial.validation_loss is None else trial.validation_loss
    )


def _run(
    base: BaseModel,
    data: TrainingData,
    folder: Path,
    config: FineTuningConfig,
    settings: dict[str, Any],
    progress: Callable[[str], None],
) -> Trial:
    try:
        result: FineTuningResult = fine_tune(base, data, folder, config, resume=True, progress=progress)
    except (TrainingDiverged, TrainingOutOfMemory) as error:  # a result too: these settings do not work
        progress(f"failed: {error}")
        return Trial(settings, None, {}, str(error))
    return Trial(settings, result.validation_loss, result.metrics)


def _key(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())


def _folder_name(settings: dict[str, Any]) -> str:
    return "_".join(f"{name}-{value:g}" for name, value in settings.items())
