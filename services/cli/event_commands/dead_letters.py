"""``resume-scorer dead-letters``: dead letters go back once their cause is gone."""

import asyncio
from collections.abc import Mapping
from typing import Any

import click

from services.cli.command_settings import load_command_settings
from services.contracts.topics import APPLICATION_SUBMITTED, JOB_POSTED, SCORE_LABELLED, dead_letter_topic
from services.devkit import say
from services.events.kafka_client import connected_producer, create_topics
from services.events.replay import DeadLetterReplay
from services.process.settings import Settings

_TOPICS = {"applications": APPLICATION_SUBMITTED, "jobs": JOB_POSTED, "labels": SCORE_LABELLED}


@click.group("dead-letters")
def dead_letters() -> None:
    """Looks after the records that could not be processed."""


@dead_letters.command()
@click.option(
    "--topic", type=click.Choice(list(_TOPICS)), default="applications", show_default=True, help="Whose."
)
@click.option("--kind", "kinds", multiple=True, help="Only this kind of error; may be repeated.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="Send no more than so many, the oldest of a kind first."
)
@click.option(
    "--dry-run/--send", "is_dry", default=True, help="Count by kind and send nothing (the default), or send."
)
def replay(topic: str, kinds: tuple[str, ...], limit: int | None, is_dry: bool) -> None:
    """Sends dead letters to their source topic again, each one once; counts them unless told to --send.

    What is sent again counts as sent now: an application replaces its correction, a job without version or
    time its newer posting. Ask the sender for the current one instead.
    """
    asyncio.run(_replay(load_command_settings(), _TOPICS[topic], kinds, limit, is_dry=is_dry))


async def _replay(
    settings: Settings, topic: str, kinds: tuple[str, ...], limit: int | None, *, is_dry: bool
) -> None:
    async with connected_producer(settings) as producer:
        await create_topics(settings)
        replaying = DeadLetterReplay(settings, topic)
        waiting = await replaying.waiting(kinds)
        if is_dry:
            _show({kind: each.num_letters for kind, each in waiting.items()})
            say(f"waiting in {dead_letter_topic(topic)}; --send sends them to {topic}")
        else:
            _show(await replaying.send(producer, waiting, limit))
            say(f"sent to {topic}")
    num_without_value = sum(each.num_without_value for each in waiting.values())
    if num_without_value:
        say(f"{num_without_value} were too large or could not be decoded; their headers tell their place")


def _show(counts: Mapping[str, Any]) -> None:
    for kind, count in sorted(counts.items()):
        print(f"{count:6d}  {kind}")
    print(f"{sum(counts.values()):6d}  in all")
