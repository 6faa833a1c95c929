"""``resume-scorer train`` and ``tune``: a LoRA adapter from labelled pairs."""

from pathlib import Path

import click
from rich.table import Table

from services.adapters.adapter_folder import WEIGHTS_FILE
from services.cli.command_settings import load_command_settings
from services.devkit import out, say
from services.scoring.model.loading.base_model import load_base_model
from training.configuration import load_config
from training.job import file_digest
from training.learning import tuning
from training.learning.fine_tuning import TrainingData, fine_tune
from training.pairs.dataset import read_labelled_pairs

_data = click.option(
    "--data",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help='JSON lines of {"resume", "job_description", "score"}.',
)
_validation = click.option(
    "--validation",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Such lines to choose the best checkpoint by; without it some jobs of --data are kept out.",
)
_config = click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML with fields of FineTuningConfig.",
)
_folder = click.Path(file_okay=False, path_type=Path)


@click.command()
@_data
@click.option(
    "--output",
    required=True,
    type=_folder,
    help="The adapter's folder; checkpoints and TensorBoard's files lie in it too.",
)
@_validation
@_config
@click.option(
    "--initial-adapter",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Adapter to go on from.",
)
@click.option("--resume", "is_resumed", is_flag=True, help="Go on from the last checkpoint in --output.")
@click.option("--overwrite", is_flag=True, help="Replace a finished adapter in --output.")
def train(
    data: Path,
    output: Path,
    validation: Path | None,
    config_file: Path | None,
    initial_adapter: Path | None,
    is_resumed: bool,
    overwrite: bool,
) -> None:
    """Fine-tunes a LoRA adapter; SCORER_ADAPTER or --adapter then loads its folder."""
    settings = load_command_settings()
    if (output / WEIGHTS_FILE).exists() and not overwrite:  # written last, so the adapter is whole
        raise click.BadParameter(
            f"{output} holds a finished adapter; --overwrite replaces it", param_hint="--output"
        )

    config = load_config(config_file)
    training_data = _read(data, validation, initial_adapter)
    base = load_base_model(settings, say)
    result = fine_tune(base, training_data, output, config, resume=is_resumed, progress=say)
    if result.validation_loss is not None:
        say(f"{result.num_steps} steps, best validation loss {result.validation_loss:.4f}")
    out.print(f"adapter: {output}", soft_wrap=True)


@click.command()
@_data
@click.option(
    "--output", required=True, type=_folder, help="Folder of the trials; a second call in it goes on."
)
@_validation
@_config
@click.option(
    "--grid",
    "grid_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML with lists for learning_rate, rank, alpha and batch_size.",
)
def tune(
    data: Path, output: Path, validation: Path | None, config_file: Path | None, grid_file: Path | None
) -> None:
    """Searches a grid of settings and writes the best configuration."""
    spec = load_command_settings()
    trials = tuning.tune(
        lambda: load_base_model(spec, say),
        _read(data, validation, None),
        output,
        load_config(config_file),
        tuning.load_grid(grid_file),
        say,
    )
    _print_trials(trials)
    out.print(f"best configuration: {output / tuning.BEST_CONFIG_FILE}", soft_wrap=True)


def _read(data: Path, validation: Path | None, initial_adapter: Path | None) -> TrainingData:
    return TrainingData(
        read_labelled_pairs(data),
        file_digest(data),
        read_labelled_pairs(validation) if validation else None,
        initial_adapter,
    )


def _print_trials(trials: list[tuning.Trial]) -> None:
    table = Table(*trials[0].settings, "validation loss", "MAE", "Spearman", title="best first")
    for trial in trials:
        figures = [trial.validation_loss, trial.metrics.get("mae"), trial.metrics.get("spearman")]
        shown = ["-" if figure is None else f"{figure:.4f}" for figure in figures]
        table.add_row(*(f"{value:g}" for value in trial.settings.values()), *shown)
    out.print(table)
