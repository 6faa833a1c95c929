"""Runs one worker with a fake scorer: python -m tests.doubles.processes.worker_runner SECONDS_PER_SCORE."""

import asyncio
import sys

from prometheus_client import CollectorRegistry

from services.process.logging import configure_logging
from services.process.settings import load_settings
from services.process.shutdown import stop_on_signals
from services.scoring_worker.app import run_worker
from services.scoring_worker.intake.faust_app import leave_without_faust
from services.scoring_worker.metrics import WorkerMetrics
from tests.doubles.scorer import FakeScorer


async def run(seconds_per_score: float) -> None:
    settings = load_settings()
    configure_logging(settings, "scoring-worker")
    with stop_on_signals() as stop:
        await run_worker(
            settings, FakeScorer(seconds_per_score), WorkerMetrics(CollectorRegistry()), stop=stop
        )
    leave_without_faust()  # as the command does


if __name__ == "__main__":
    asyncio.run(run(float(sys.argv[1])))
