"""``resume-scorer watch``: a topic on the screen."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import click

from services.cli.command_settings import load_command_settings
from services.contracts import topics
from services.contracts.scoring import category_of
from services.devkit import say
from services.events.kafka_client import create_topics, naming_the_broker, open_consumer
from services.process.settings import Settings

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
    settings: Settings,
    watched: tuple[str, ...],
    from_beginning: bool,
    count: int | None,
    show: Callable[[Any], str],
) -> None:
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
