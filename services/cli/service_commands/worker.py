"""``resume-scorer worker``: the scoring service behind Kafka."""

import click

from services.cli.service_commands.engine_process import scoring_with
from services.process.service import run_service
from services.scoring_worker import WorkerMetrics, leave_without_faust, run_worker


@click.command()
def worker() -> None:
    """Scores applications from Kafka."""
    run_service("scoring-worker", scoring_with(run_worker, WorkerMetrics))
    leave_without_faust()
