"""``resume-scorer api``: the scoring service behind gRPC."""

import asyncio

import click

from services.cli.service_commands.engine_process import run_with_engine
from services.process.logging import configure_logging
from services.process.settings import load_settings
from services.scoring_api.app import run_api
from services.scoring_api.server_transport import check_transport


@click.command()
def api() -> None:
    """Answers gRPC calls."""
    settings = load_settings()
    configure_logging(settings, "scoring-api")
    check_transport(settings)  # before the model is loaded, which takes long
    asyncio.run(run_with_engine(settings, run_api))
