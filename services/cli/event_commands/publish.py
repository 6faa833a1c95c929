"""``resume-scorer publish``: files to topics."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from google.protobuf.message import Message

from services.cli.command_settings import load_command_settings
from services.cli.progress import progress
from services.contracts import topics
from services.contracts.errors import FieldViolation, InvalidInput
from services.devkit import say
from services.events.kafka_client import connected_producer, create_topics
from services.events.kafka_client import publish as publish_record
from services.events.wire.event_codec import cloud_event_headers, decode_event, encode_event
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted, JobPosted, ScoreLabelled
from services.process.settings import Settings

_MAX_UNACKNOWLEDGED = 1000


@dataclass(frozen=True, slots=True)
class Publication:
    """How one kind of file becomes records.

    Attributes:
        topic: where they go.
        message_type: the event.
        key_field: the field that becomes the record's key.
    """

    topic: str
    message_type: type[Message]
    key_field: str


_PUBLICATIONS = {
    "jobs": Publication(topics.JOB_POSTED, JobPosted, "job_id"),
    "applications": Publication(topics.APPLICATION_SUBMITTED, ApplicationSubmitted, "job_id"),
    "labels": Publication(topics.SCORE_LABELLED, ScoreLabelled, "application_id"),
}


@click.command()
@click.argument("kind", type=click.Choice(list(_PUBLICATIONS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def publish(kind: str, file: Path) -> None:
    """Publishes the events of a file of JSON lines; nothing is sent unless every line is right."""
    publication = _PUBLICATIONS[kind]
    messages = list(_read_events(file, publication))
    asyncio.run(_publish(load_command_settings(), publication, messages))
    say(f"{len(messages)} {kind} -> {publication.topic}")


def _read_events(file: Path, publication: Publication) -> Iterator[Message]:
    for row, line in enumerate(file.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield decode_event(line, (), publication.message_type)
        except InvalidInput as error:
            raise InvalidInput(
                error.kind, [FieldViolation(f"row {row}: {v.field}", v.description) for v in error.violations]
            ) from error


async def _publish(settings: Settings, publication: Publication, messages: list[Message]) -> None:
    room = asyncio.Semaphore(_MAX_UNACKNOWLEDGED)
    async with connected_producer(settings) as producer:
        await create_topics(settings)
        with progress("publishing", len(messages)) as advance:

            async def send(message: Message) -> None:
                async with room:
                    await publish_record(
                        producer,
                        publication.topic,
                        key=getattr(message, publication.key_field).encode(),
                        value=encode_event(message),
                        headers=cloud_event_headers(publication.topic),
                    )
                advance(1)

            async with asyncio.TaskGroup() as group:
                for message in messages:
                    group.create_task(send(message))
