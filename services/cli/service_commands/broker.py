"""``resume-scorer broker``: Kafka's protocol for development, until SIGTERM or Ctrl-C."""

import asyncio

import click

from services.devkit import EmbeddedBroker, out
from services.events.kafka_client import create_topics
from services.process.service import run_service
from services.process.settings import Settings


@click.command()
def broker() -> None:
    """Runs the development broker: Kafka's protocol, everything in memory."""
    run_service("broker", _serve)


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    with EmbeddedBroker(settings.broker_host, settings.broker_port) as running:
        address = running.bootstrap_servers
        await create_topics(settings.model_copy(update={"kafka_bootstrap_servers": address}))
        out.print(f"broker on {address} (in memory; Ctrl-C ends it)")
        await stop.wait()
