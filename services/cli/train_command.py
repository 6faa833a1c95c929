"""``resume-scorer train``: a LoRA adapter from labelled pairs."""

from pathlib import Path

import click

from services.cli.command_settings import load_command_settings
from services.cli.console import out, say


@click.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help='JSON lines of {"resume", "job_description", "score"}.',
)
@click.option(
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The adapter's folder; checkpoints lie in it too.",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML with fields of FineTuningConfig.",
)
@click.option("--resume", "is_resumed", is_flag=True, help="Go on from the last checkpoint in --output.")
def train(data: Path, output: Path, config_file: Path | None, is_resumed: bool) -> None:
    """Fine-tunes a LoRA adapter; SCORER_ADAPTER or --adapter then loads its folder."""
    settings = load_command_settings()

    from services.scoring.base_model import load_base_model
    from services.service_kit.engine_settings import base_model_spec
    from training.configuration import load_config
    from training.dataset import read_labelled_pairs
    from training.fine_tuning import fine_tune

    config = load_config(config_file)
    pairs = read_labelled_pairs(data)
    base = load_base_model(base_model_spec(settings), say)
    say(f"training on {len(pairs)} pairs")
    fine_tune(base, pairs, output, config, resume=is_resumed)
    out.print(f"adapter: {output}", soft_wrap=True)
