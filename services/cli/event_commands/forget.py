"""``resume-scorer forget``: a person's right to erasure, as far as this system holds texts."""

import asyncio
import time
from contextlib import closing

import click

from services.cli.command_settings import load_command_settings
from services.contracts.topics import APPLICATION_SCORED
from services.devkit import say
from services.events.kafka_client import connected_producer, create_topics, publish
from services.events.wire.event_codec import cloud_event_headers
from services.process.settings import Settings
from services.training_service import Database, RunStore, forget_application


@click.command()
@click.argument("application_id")
def forget(application_id: str) -> None:
    """Removes an application's texts and labels, and writes tombstones; may be repeated."""
    settings = load_command_settings()
    with closing(Database(settings.trainer_dir)) as database:
        removed = forget_application(database, application_id, time.time())
        is_training = RunStore(database).unfinished() is not None
    say(f"label store: {removed.num_applications} application and {removed.num_labels} labels removed")
    if is_training:
        say("a training run goes on and may hold a copy until it ends (`resume-scorer trainer cancel`)")
    asyncio.run(_write_tombstone(settings, application_id))
    say(f"tombstone written to {APPLICATION_SCORED}; the other topics keep theirs until their retention ends")


async def _write_tombstone(settings: Settings, application_id: str) -> None:
    async with connected_producer(settings) as producer:
        await create_topics(settings)
        await publish(
            producer,
            APPLICATION_SCORED,
            key=application_id.encode(),
            value=None,  # the compacted topic's deletion
            headers=cloud_event_headers(APPLICATION_SCORED),
        )
