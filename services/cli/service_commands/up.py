"""``resume-scorer up``: everything on this machine, with six samples scored before your eyes."""

import click

from services.cli.command_settings import load_command_settings
from services.devkit.up import run_up


@click.command()
@click.option("--once", is_flag=True, help="End with 0 after the six samples are scored.")
def up(once: bool) -> None:
    """Runs broker, worker, API and trainer here, scores six samples, and stays until Ctrl-C."""
    run_up(load_command_settings(), once=once)
