"""``resume-scorer model``: the base model on this machine."""

import click

from services.cli.command_settings import load_command_settings
from services.devkit import out, say
from services.scoring.model.loading.base_model import resolve_folder


@click.group()
def model() -> None:
    """Looks after the base model on this machine."""


@model.command()
def prepare() -> None:
    """Fetches, verifies and converts the base model once, so that services start in seconds."""
    folder = resolve_folder(load_command_settings(), say)
    out.print(f"ready: {folder}")
