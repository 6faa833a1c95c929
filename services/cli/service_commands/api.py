"""``resume-scorer api``: the scoring service behind gRPC."""

import click

from services.cli.service_commands.engine_process import scoring_with
from services.process.service import run_service
from services.scoring_api import ApiMetrics, check_transport, run_api


@click.command()
def api() -> None:
    """Answers gRPC calls."""
    run_service("scoring-api", scoring_with(run_api, ApiMetrics), check_transport)
