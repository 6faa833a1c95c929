"""``resume-scorer up``: everything on this machine, with six samples scored before your eyes."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

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
from services.devkit.sample_events import publish_sample
from services.devkit.samples import SamplePair, load_samples
from services.events.kafka_client import connected_producer, create_topics, open_consumer
from services.process.settings import Settings
from services.process.shutdown import stop_on_signals
from services.training_service import TrainerAlreadyRunning, exclusive

_SCORED_SECONDS = 240.0


def run_up(settings: Settings, *, once: bool) -> None:
    """Runs broker, worker, API and trainer as children and scores the samples; stays until Ctrl-C.

    Args:
        settings: whose Kafka is used where they name one; ports that nobody asked for may move.
        once: end after the samples instead.

    Raises:
        ServicesFailed: the services were not ready, or the samples not scored, in time.
        ChildFailed: a service ended by itself.
    """
    prepare_model(settings)
    with _broker(with_free_ports(settings)) as own, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(own, once=once))


@contextmanager
def _broker(settings: Settings) -> Iterator[Settings]:
    if "kafka_bootstrap_servers" in settings.model_fields_set:
        yield settings
        return
    with embedded_broker(settings) as own:
        yield own


async def _run(settings: Settings, *, once: bool) -> None:
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


async def _start_trainer(children: ChildProcesses, settings: Settings) -> bool:
    folder = settings.trainer_dir
    try:
        with exclusive(folder):
            pass
    except TrainerAlreadyRunning:
        say(f"another trainer works in {folder} (SCORER_TRAINER_DIR), so none is started here")
        return False
    await children.start("trainer")
    return True


async def _score_samples(settings: Settings) -> None:
    started = time.monotonic()
    await until_ready(settings)
    say(f"worker and API ready after {time.monotonic() - started:.1f} s; publishing six samples")

    samples = {sample.application_id: sample for sample in _new_samples()}
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


def _new_samples() -> list[SamplePair]:
    """Returns the samples under ids that no earlier run has used."""
    run_id = uuid.uuid4().hex[:8]
    return [
        replace(sample, application_id=name, job_id=f"job-of-{name}")
        for sample in load_samples()
        for name in [f"{sample.application_id}-{run_id}"]
    ]


async def _scored(
    settings: Settings, samples: Mapping[str, SamplePair]
) -> AsyncGenerator[dict[str, Any], None]:
    """Publishes the samples and yields their results as they arrive, each once."""
    async with open_consumer(settings, topics.APPLICATION_SCORED) as consumer:
        async with connected_producer(settings) as producer:
            for sample in samples.values():
                await publish_sample(producer, sample)
        seen: set[str] = set()
        async for record in consumer:
            value = json.loads(record.value)
            application_id = value["application_id"]
            if application_id in samples and application_id not in seen:
                seen.add(application_id)
                yield value


def _print_score(sample: SamplePair, value: dict[str, Any]) -> None:
    interval = f"{value['percentile_10']}-{value['percentile_90']}"
    out.print(
        f"{sample.label:<12}{sample.expected_score:>9}{value['score']:>8.1f}  "
        f"{value['category']:<11}{interval:>9}  {sample.job_title}",
        markup=False,
        soft_wrap=True,
    )


def _print_addresses(settings: Settings, *, has_trainer: bool) -> None:
    host = settings.metrics_host
    out.print()
    out.print(f"Kafka    {settings.kafka_bootstrap_servers}")
    out.print(f"gRPC     {settings.grpc_host}:{settings.grpc_port}")
    out.print(f"metrics  http://{host}:{settings.worker_metrics_port}/metrics (worker)")
    out.print(f"         http://{host}:{settings.api_metrics_port}/metrics (API)")
    if has_trainer:
        out.print(f"         http://{host}:{settings.trainer_metrics_port}/metrics (trainer)")
    out.print("Ctrl-C ends everything.")
