"""``resume-scorer publish`` and ``watch``: files to topics and topics to the screen."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.cli.command_settings import load_command_settings
from services.cli.progress import progress
from services.contracts import topics
from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.scoring import category_of
from services.devkit.console import say

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from services.process.settings import Settings

_MAX_UNACKNOWLEDGED = 1000


@dataclass(frozen=True, slots=True)
class Publication:
    """How one kind of file becomes records.

    Attributes:
        topic: where they go.
        message_name: the event's message in events.proto.
        key_field: the field that becomes the record's key.
    """

    topic: str
    message_name: str
    key_field: str


_PUBLICATIONS = {
    "jobs": Publication(topics.JOB_POSTED, "JobPosted", "job_id"),
    "applications": Publication(topics.APPLICATION_SUBMITTED, "ApplicationSubmitted", "job_id"),
    "labels": Publication(topics.SCORE_LABELLED, "ScoreLabelled", "application_id"),
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


def _read_events(file: Path, publication: Publication) -> "Iterator[Message]":
    from services.events.event_codec import decode_event
    from services.pb.scoring.v1 import events_pb2

    message_type = getattr(events_pb2, publication.message_name)
    for row, line in enumerate(file.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield decode_event(line, (), message_type)
        except InvalidInput as error:
            raise InvalidInput(
                error.kind, [FieldViolation(f"row {row}: {v.field}", v.description) for v in error.violations]
            ) from error


async def _publish(settings: "Settings", publication: Publication, messages: "list[Message]") -> None:
    from services.events.event_codec import cloud_event_headers, encode_event
    from services.events.kafka_client import connected_producer, create_topics
    from services.events.kafka_client import publish as publish_record

    room = asyncio.Semaphore(_MAX_UNACKNOWLEDGED)
    async with connected_producer(settings) as producer:
        await create_topics(settings)
        with progress("publishing", len(messages)) as advance:

            async def send(message: "Message") -> None:
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


_WATCHED: dict[str, tuple[str, ...]] = {
    "scores": (topics.APPLICATION_SCORED,),
    "annotations": (topics.ANNOTATION_REQUESTED,),
    "dead-letters": tuple(spec.name for spec in topics.TOPICS if spec.name.endswith(".dlq")),
}


@click.command()
@click.argument("what", type=click.Choice(list(_WATCHED)), default="scores")
@click.option("--from-beginning", is_flag=True, help="Show what the topic already holds first.")
@click.option("--count", type=click.IntRange(min=1), help="End after this many records.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def watch(what: str, from_beginning: bool, count: int | None, as_json: bool) -> None:
    """Shows records as they arrive, until Ctrl-C."""

    show = _SHOWN_AS[what]
    asyncio.run(
        _watch(load_command_settings(), _WATCHED[what], from_beginning, count, lambda r: show(r, as_json))
    )


async def _watch(
    settings: "Settings",
    watched: tuple[str, ...],
    from_beginning: bool,
    count: int | None,
    show: Callable[[Any], str],
) -> None:
    from services.events.kafka_client import create_topics, naming_the_broker, open_consumer

    start = "earliest" if from_beginning else "latest"
    with naming_the_broker(settings):
        await create_topics(settings)
        async with open_consumer(settings, *watched, auto_offset_reset=start) as consumer:
            num_shown = 0
            async for record in consumer:
                try:
                    line = show(record)
                except (KeyError, TypeError, ValueError):
                    say(f"{record.topic}/{record.partition}@{record.offset}: deleted, or not readable")
                    continue
                print(line, flush=True)
                num_shown += 1
                if num_shown == count:
                    return


def _show_score(record: Any, as_json: bool) -> str:
    value = json.loads(record.value)
    if as_json:
        return json.dumps(value)
    return (
        f"{value['score']:6.1f}  {value['category']:<9}  10-90 %: {value['percentile_10']:3d}-"
        f"{value['percentile_90']:<3d}  {value['application_id']}  job {value['job_id']}"
    )


_ANNOTATION_REASONS = {
    "standard_deviation": "widest distribution",
    "category_margin": "nearest to a border",
}


def _show_annotation(record: Any, as_json: bool) -> str:
    value = json.loads(record.value)
    if as_json:
        return json.dumps(value)
    reason = _ANNOTATION_REASONS.get(value["reason"], value["reason"])
    return (
        f"{value['score']:6.1f} +-{value['standard_deviation']:5.1f}  {category_of(value['score']):<9}  "
        f"{reason:<23}  {value['application_id']}  job {value['job_id'] or '(inline)'}"
    )


def _show_dead_letter(record: Any, as_json: bool) -> str:
    # The record itself is not shown: it may hold a resume.
    reasons = {
        name.removeprefix("scorer.error."): (value or b"").decode("utf-8", "replace")
        for name, value in record.headers
        if name.startswith("scorer.error.")
    }
    if as_json:
        return json.dumps(reasons)
    place = f"{reasons.get('topic', '?')}/{reasons.get('partition', '?')}@{reasons.get('offset', '?')}"
    return f"{reasons.get('kind', '?'):<18}  {place}  {reasons.get('message', '')}"


_SHOWN_AS: dict[str, Callable[[Any, bool], str]] = {
    "scores": _show_score,
    "annotations": _show_annotation,
    "dead-letters": _show_dead_letter,
}
