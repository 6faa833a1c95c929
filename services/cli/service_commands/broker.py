"""``resume-scorer broker``: Kafka's protocol for development, until SIGTERM or Ctrl-C."""

import asyncio

import click

from services.devkit import EmbeddedBroker, out
from services.events.kafka_client import create_topics
from services.process.logging import configure_logging
from services.process.settings import Settings, load_settings
from services.process.shutdown import stop_on_signals


@click.command()
def broker() -> None:
    """Runs the development broker: Kafka's protocol, everything in memory."""
    settings = load_settings()
    configure_logging(settings, "broker")
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    with stop_on_signals() as stop, EmbeddedBroker(settings.broker_host, settings.broker_port) as running:
        address = running.bootstrap_servers
        await create_topics(settings.model_copy(update={"kafka_bootstrap_servers": address}))
        out.print(f"broker on {address} (in memory; Ctrl-C ends it)")
        await stop.wait()
