"""``resume-scorer trainer``: the training service, and what a person can ask of it."""

import asyncio
import json
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime

import click
from prometheus_client import CollectorRegistry

from services.cli.command_settings import load_command_settings
from services.devkit import out, say
from services.process.service import run_service
from services.process.settings import Settings
from services.training_service import (
    Database,
    LabelStore,
    Quarantine,
    Request,
    Run,
    RunStore,
    TrainerMetrics,
    run_trainer,
)

_SHOWN_RUNS = 10


@click.group(invoke_without_command=True)
@click.pass_context
def trainer(context: click.Context) -> None:
    """Takes labels in from Kafka, trains new adapters and publishes the better ones."""
    if context.invoked_subcommand is not None:
        return
    run_service("training-service", _serve)


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    await run_trainer(settings, TrainerMetrics(CollectorRegistry()), stop=stop)


@trainer.command()
def request() -> None:
    """Asks for a training run now; a trainer that is not running does it when it starts."""
    with _database() as database:
        RunStore(database).request(Request.TRAIN)
    say("requested")


@trainer.command()
def cancel() -> None:
    """Cancels the training run that goes on; its labels wait for the next one."""
    with _database() as database:
        runs = RunStore(database)
        if runs.unfinished() is None:
            say("no training run goes on")
            return
        runs.request(Request.CANCEL)
    say("asked to cancel")


@trainer.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(as_json: bool) -> None:
    """Shows labels, how far raters disagree, and the latest runs."""
    with _database() as database:
        labels = LabelStore(database, held_out_share=0.0)
        counts, disagreement = labels.counts(), labels.disagreement()
        runs = RunStore(database).latest(_SHOWN_RUNS)
    if as_json:
        content = {
            "labels": asdict(counts),
            "rater_disagreement": asdict(disagreement),
            "runs": [asdict(run) for run in runs],
        }
        print(json.dumps(content))
        return
    out.print(
        f"labels   {counts.num_usable} usable, {counts.num_new} new, {counts.num_waiting} without texts, "
        f"{counts.num_quarantined} in quarantine"
    )
    out.print(
        f"raters   {disagreement.points:.1f} points apart on {disagreement.num_applications} applications"
    )
    for run in runs:
        out.print(_line_of(run), markup=False, soft_wrap=True)


@trainer.group()
def quarantine() -> None:
    """Looks after the labels that took part in two rejected runs: no run learns them any more."""


@quarantine.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_quarantine(as_json: bool) -> None:
    """Shows the labels in quarantine, the longest first."""
    with _database() as database:
        labels = Quarantine(database).labels()
    for label in labels:
        if as_json:
            print(json.dumps(asdict(label)))
            continue
        since = datetime.fromtimestamp(label.quarantine_time, UTC)
        line = f"{since:%Y-%m-%d %H:%M}  {label.score:5.1f}  {label.application_id}  rater {label.rater}"
        out.print(line, markup=False, soft_wrap=True)
    say(f"{len(labels)} in quarantine")


@quarantine.command()
@click.argument("application_ids", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every label.")
def release(application_ids: tuple[str, ...], is_all: bool) -> None:
    """Makes labels new again: those of the named applications, or all."""
    if is_all == bool(application_ids):
        raise click.UsageError("name applications, or say --all")
    with _database() as database:
        num_released = Quarantine(database).release(None if is_all else application_ids)
    say(f"{num_released} released: they are new labels again")


def _line_of(run: Run) -> str:
    created = datetime.fromtimestamp(run.create_time, UTC)
    return f"run {run.run_id:<4} {created:%Y-%m-%d %H:%M}  {run.state:<10} {run.trigger:<13} {run.message}"


def _database() -> closing[Database]:
    return closing(Database(load_command_settings().trainer_dir))
