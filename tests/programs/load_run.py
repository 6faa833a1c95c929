"""Draws the dashboards after minutes of load: python -m tests.programs.load_run --minutes 6 --output FILE.

Worker, API, trainer and Prometheus are real, the model is tiny and random, the training process stands in.
"""

import argparse
import asyncio
import itertools
import tempfile
import time
from pathlib import Path

from services.devkit.embedded_broker import EmbeddedBroker
from services.events.kafka_client import create_topics
from services.process.settings import load_settings
from tests.deploy.tools import grafana_module
from tests.doubles.processes.monitored_services import monitored_services

# Calm, busy, calm: so that the curves have something to show.
PAIRS_A_ROUND = (4, 4, 12, 30, 12, 4)
PAUSE_SECONDS = 3.0
LABELS_A_TRAINING = 400
WARM_UP_MINUTES = 5.0  # the window of most rates; before it is full they only rise


async def run(minutes: float, output: Path, folder: Path) -> None:
    """Sends load in rounds, then draws."""
    with EmbeddedBroker() as broker:
        settings = load_settings(kafka_bootstrap_servers=broker.bootstrap_servers)
        await create_topics(settings)
        cache_dir = settings.model_cache_dir
        async with monitored_services(
            settings, cache_dir, folder, trainer_min_new_labels=LABELS_A_TRAINING
        ) as services:
            started = time.monotonic()
            for count in itertools.cycle(PAIRS_A_ROUND):
                if time.monotonic() - started > 60 * (WARM_UP_MINUTES + minutes):
                    break
                await services.send(count)
                await asyncio.sleep(PAUSE_SECONDS)
            await asyncio.to_thread(grafana_module("render").render, services.server, minutes, output)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draws the dashboards after some minutes of load.")
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(options.minutes, options.output, Path(folder)))


if __name__ == "__main__":
    main()
