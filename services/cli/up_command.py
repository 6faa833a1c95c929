"""``resume-scorer up``: everything on this machine, with six samples scored before your eyes."""

import asyncio
import contextlib
import json
import os
import socket
import time
import uuid
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from services.cli.child_processes import ChildProcesses
from services.cli.command_settings import load_command_settings
from services.cli.console import out, say
from services.contracts import topics
from services.contracts.errors import ScorerError

if TYPE_CHECKING:
    from services.cli.samples import SamplePair
    from services.service_kit.settings import Settings

# Loading two models at once on two slow cores, with room to spare.
_READY_SECONDS = 240.0
_SCORED_SECONDS = 240.0
_POLL_SECONDS = 0.25
_OWN_PORTS = ("grpc_port", "worker_metrics_port", "api_metrics_port")


class UpFailed(ScorerError):
    """The services did not become ready or did not score the samples in time."""


@click.command()
@click.option("--once", is_flag=True, help="End with 0 after the six samples are scored.")
def up(once: bool) -> None:
    """Runs broker, worker and API here, scores six samples, and stays until Ctrl-C."""
    from services.scoring.base_model import resolve_folder
    from services.service_kit.engine_settings import base_model_spec

    settings = load_command_settings()
    spec = base_model_spec(settings)
    if not spec.name.startswith("random:"):
        # Before the services start, so that neither of them waits for the other's conversion.
        resolve_folder(spec, say)
    with ExitStack() as stack:
        settings = stack.enter_context(_broker(_with_free_ports(settings)))
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(settings, once=once))


def _with_free_ports(settings: "Settings") -> "Settings":
    """Moves ports that nobody asked for out of the way of what already listens."""
    moved = {
        name: _free_port(settings.grpc_host)
        for name in _OWN_PORTS
        if name not in settings.model_fields_set and not _is_free(settings.grpc_host, getattr(settings, name))
    }
    return settings.model_copy(update=moved)


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _broker(settings: "Settings") -> "Iterator[Settings]":
    from services.service_kit.embedded_broker import EmbeddedBroker

    if "kafka_bootstrap_servers" in settings.model_fields_set:
        yield settings
        return
    port = settings.broker_port
    if "broker_port" not in settings.model_fields_set and not _is_free(settings.broker_host, port):
        port = 0
    with EmbeddedBroker(settings.broker_host, port) as broker:
        yield settings.model_copy(update={"kafka_bootstrap_servers": broker.bootstrap_servers})


def _child_environment(settings: "Settings") -> dict[str, str]:
    from services.service_kit.settings import variable_of

    chosen = {
        "log_format": "console",
        "kafka_bootstrap_servers": settings.kafka_bootstrap_servers,
        **{name: str(getattr(settings, name)) for name in _OWN_PORTS},
    }
    return {**os.environ, **{variable_of(name): value for name, value in chosen.items()}}


async def _run(settings: "Settings", *, once: bool) -> None:
    from services.service_kit.kafka_client import create_topics
    from services.service_kit.shutdown import stop_on_signals

    await create_topics(settings)
    children = ChildProcesses(_child_environment(settings))
    with stop_on_signals() as stop:
        try:
            for name in ("worker", "api"):
                await children.start(name)
            await _first_of(children.wait_for_failure(), stop.wait(), _score_samples(settings))
            if stop.is_set() or once:
                return
            _print_addresses(settings)
            await _first_of(children.wait_for_failure(), stop.wait())
        finally:
            await children.stop(settings.drain_seconds + 5)


async def _first_of(*works: Any) -> None:
    """Waits for the first to end, gives the others up, and raises what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for task in done:
        task.result()


async def _score_samples(settings: "Settings") -> None:
    from services.cli.samples import load_samples

    started = time.monotonic()
    try:
        async with asyncio.timeout(_READY_SECONDS):
            await asyncio.gather(*(_until_ready(settings, port) for port in _OWN_PORTS[1:]))
    except TimeoutError as error:
        raise UpFailed(f"worker and API were not ready after {_READY_SECONDS:.0f} s") from error
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
        raise UpFailed(f"{len(missing)} of {len(samples)} samples were not scored") from error


async def _until_ready(settings: "Settings", port_setting: str) -> None:
    import aiohttp

    url = f"http://{settings.metrics_host}:{getattr(settings, port_setting)}/readyz"
    async with aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(_POLL_SECONDS)


async def _scored(
    settings: "Settings", samples: "dict[str, SamplePair]"
) -> AsyncGenerator[dict[str, Any], None]:
    """Publishes the samples and yields their results as they arrive, each once."""
    from aiokafka import AIOKafkaConsumer

    from services.service_kit.kafka_client import client_options

    consumer = AIOKafkaConsumer(
        topics.APPLICATION_SCORED, **client_options(settings), group_id=None, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        await _publish_samples(settings, samples)
        seen: set[str] = set()
        async for record in consumer:
            value = json.loads(record.value)
            application_id = value["application_id"]
            if application_id in samples and application_id not in seen:
                seen.add(application_id)
                yield value
    finally:
        await consumer.stop()


async def _publish_samples(settings: "Settings", samples: "dict[str, SamplePair]") -> None:
    from services.cli.kafka_commands import connected_producer
    from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted, JobPosted
    from services.service_kit.event_codec import cloud_event_headers, encode_event
    from services.service_kit.kafka_client import publish

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


def _print_addresses(settings: "Settings") -> None:
    host = settings.metrics_host
    out.print()
    out.print(f"Kafka    {settings.kafka_bootstrap_servers}")
    out.print(f"gRPC     {settings.grpc_host}:{settings.grpc_port}")
    out.print(f"metrics  http://{host}:{settings.worker_metrics_port}/metrics (worker)")
    out.print(f"         http://{host}:{settings.api_metrics_port}/metrics (API)")
    out.print("Ctrl-C ends everything.")
