"""``resume-scorer worker``: the scoring service behind Kafka."""

import asyncio

import click

from services.cli.service_commands.engine_process import run_with_engine
from services.process.logging import configure_logging
from services.process.settings import Settings, load_settings
from services.scoring_worker.app import run_worker
from services.scoring_worker.faust_app import leave_without_faust


@click.command()
def worker() -> None:
    """Scores applications from Kafka."""
    settings = load_settings()
    configure_logging(settings, "scoring-worker")
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    await run_with_engine(settings, run_worker)
    leave_without_faust()
