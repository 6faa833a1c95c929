"""``resume-scorer demo continuous``: from people's labels to a better adapter in every scorer, and back."""

import click

from services.cli.command_settings import load_command_settings
from services.devkit.continuous_demo import run_demo


@click.group()
def demo() -> None:
    """Shows what the parts do together, on this machine alone."""


@demo.command()
def continuous() -> None:
    """Labels come in, training starts by itself, the new adapter replaces the old one; then back.

    Everything is kept in a temporary folder and on a broker in memory. Ends with 0 only if all was seen.
    """
    if not run_demo(load_command_settings()):
        raise click.Abort
