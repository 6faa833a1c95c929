"""``resume-scorer up``: everything on this machine, with six samples scored before your eyes."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from services.cli.command_settings import load_command_settings
from services.contracts import topics
from services.devkit.child_processes import ChildProcesses
from services.devkit.console import out, say
from services.devkit.local_services import (
    ServicesFailed,
    child_environment,
    embedded_broker,
    first_of,
    prepare_model,
    until_ready,
    with_free_ports,
)

if TYPE_CHECKING:
    from services.devkit.samples import SamplePair
    from services.process.settings import Settings

_SCORED_SECONDS = 240.0


@click.command()
@click.option("--once", is_flag=True, help="End with 0 after the six samples are scored.")
def up(once: bool) -> None:
    """Runs broker, worker, API and trainer here, scores six samples, and stays until Ctrl-C."""
    settings = load_command_settings()
    prepare_model(settings)
    with ExitStack() as stack:
        settings = stack.enter_context(_broker(with_free_ports(settings)))
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(settings, once=once))


@contextmanager
def _broker(settings: "Settings") -> "Iterator[Settings]":
    if "kafka_bootstrap_servers" in settings.model_fields_set:
        yield settings
        return
    with embedded_broker(settings) as own:
        yield own


async def _run(settings: "Settings", *, once: bool) -> None:
    from services.events.kafka_client import create_topics
    from services.process.shutdown import stop_on_signals

    await create_topics(settings)
    children = ChildProcesses(child_environment(settings))
    with stop_on_signals() as stop:
        try:
            for name in ("worker", "api"):
                await children.start(name)
            await first_of(children.wait_for_failure(), stop.wait(), _score_samples(settings))
            if stop.is_set() or once:
                return
            # After the samples, which it would only slow down.
            has_trainer = await _start_trainer(children, settings)
            _print_addresses(settings, has_trainer=has_trainer)
            await first_of(children.wait_for_failure(), stop.wait())
        finally:
            await children.stop(settings.drain_seconds + 5)


async def _start_trainer(children: ChildProcesses, settings: "Settings") -> bool:
    from services.training_service.app import TrainerAlreadyRunning, exclusive

    folder = settings.trainer_dir
    try:
        with exclusive(folder):
            pass
    except TrainerAlreadyRunning:
        say(f"another trainer works in {folder} (SCORER_TRAINER_DIR), so none is started here")
        return False
    await children.start("trainer")
    return True


async def _score_samples(settings: "Settings") -> None:
    from services.devkit.samples import load_samples

    started = time.monotonic()
    await until_ready(settings)
    say(f"worker and API ready after {time.monotonic() - started:.1f} s; publishing six samples")

    run_id = uuid.uuid4().hex[:8]
    samples = {f"{sample.application_id}-{run_id}": sample for sample in load_samples()}
    missing = set(samples)
    out.print(f"{'sample':<12}{'expected':>9}{'score':>8}  {'category':<11}{'10-90 %':>9}  job")
    try:
        async with asyncio.timeout(_SCORED_SECONDS):
            async with contextlib.aclosing(_scored(settings, samples)) as scores:
                async for value in scores:
                    _print_score(samples[value["application_id"]], value)
                    missing.discard(value["application_id"])
                    if not missing:
                        return
    except TimeoutError as error:
        raise ServicesFailed(f"{len(missing)} of {len(samples)} samples were not scored") from error


async def _scored(
    settings: "Settings", samples: "dict[str, SamplePair]"
) -> AsyncGenerator[dict[str, Any], None]:
    """Publishes the samples and yields their results as they arrive, each once."""
    from services.events.kafka_client import open_consumer

    async with open_consumer(settings, topics.APPLICATION_SCORED) as consumer:
        await _publish_samples(settings, samples)
        seen: set[str] = set()
        async for record in consumer:
            value = json.loads(record.value)
            application_id = value["application_id"]
            if application_id in samples and application_id not in seen:
                seen.add(application_id)
                yield value


async def _publish_samples(settings: "Settings", samples: "dict[str, SamplePair]") -> None:
    from services.events.event_codec import cloud_event_headers, encode_event
    from services.events.kafka_client import connected_producer, publish
    from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted, JobPosted

    async with connected_producer(settings) as producer:

        async def send(topic: str, job_id: str, message: Any) -> None:
            headers = cloud_event_headers(topic)
            await publish(producer, topic, key=job_id.encode(), value=encode_event(message), headers=headers)

        for application_id, sample in samples.items():
            job_id = f"job-of-{application_id}"
            job = JobPosted(job_id=job_id, title=sample.job_title, description=sample.job_description)
            await send(topics.JOB_POSTED, job_id, job)
            application = ApplicationSubmitted(
                application_id=application_id, job_id=job_id, resume=sample.resume
            )
            await send(topics.APPLICATION_SUBMITTED, job_id, application)


def _print_score(sample: "SamplePair", value: dict[str, Any]) -> None:
    interval = f"{value['percentile_10']}-{value['percentile_90']}"
    out.print(
        f"{sample.label:<12}{sample.expected_score:>9}{value['score']:>8.1f}  "
        f"{value['category']:<11}{interval:>9}  {sample.job_title}",
        markup=False,
        soft_wrap=True,
    )


def _print_addresses(settings: "Settings", *, has_trainer: bool) -> None:
    host = settings.metrics_host
    out.print()
    out.print(f"Kafka    {settings.kafka_bootstrap_servers}")
    out.print(f"gRPC     {settings.grpc_host}:{settings.grpc_port}")
    out.print(f"metrics  http://{host}:{settings.worker_metrics_port}/metrics (worker)")
    out.print(f"         http://{host}:{settings.api_metrics_port}/metrics (API)")
    if has_trainer:
        out.print(f"         http://{host}:{settings.trainer_metrics_port}/metrics (trainer)")
    out.print("Ctrl-C ends everything.")
