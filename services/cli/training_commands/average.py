"""``resume-scorer adapters average``: the mean of adapters of one origin."""

from pathlib import Path

import click

from services.cli.command_settings import load_command_settings
from services.devkit import out
from services.scoring.model.loading.base_model import load_base_model
from training.adapter_output.averaging import average_adapters

_folder = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option("--adapter", "adapters", multiple=True, required=True, type=_folder, help="Twice or more.")
@click.option("--output", required=True, type=_folder, help="Folder of the new adapter.")
def average(adapters: tuple[Path, ...], output: Path) -> None:
    """Writes the mean of adapters that have gone on from one and the same."""
    if len(adapters) < 2:
        raise click.UsageError("--adapter: two or more are needed")
    average_adapters(load_base_model(load_command_settings()), adapters, output)
    out.print(f"adapter: {output}", markup=False, soft_wrap=True)
