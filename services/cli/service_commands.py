"""``resume-scorer worker``, ``api`` and ``broker``: one service each, until SIGTERM or Ctrl-C."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
from prometheus_client import CollectorRegistry

from services.devkit.console import out
from services.devkit.embedded_broker import EmbeddedBroker
from services.events.kafka_client import create_topics
from services.process.logging import get_logger
from services.process.metrics import ScoringMetrics
from services.process.service import run_service
from services.process.settings import Settings
from services.rollout.watch import following_adapters
from services.scoring.engine.factory import build_engine
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring_api.access.server_transport import check_transport
from services.scoring_api.app import run_api
from services.scoring_api.metrics import ApiMetrics
from services.scoring_worker.app import run_worker
from services.scoring_worker.intake.faust_app import leave_without_faust
from services.scoring_worker.metrics import WorkerMetrics

Metrics = TypeVar("Metrics", bound=ScoringMetrics)


@click.command()
def worker() -> None:
    """Scores applications from Kafka."""
    run_service("scoring-worker", _scoring_with(run_worker, WorkerMetrics))
    leave_without_faust()


@click.command()
def api() -> None:
    """Answers gRPC calls."""
    run_service("scoring-api", _scoring_with(run_api, ApiMetrics), check_transport)


@click.command()
def broker() -> None:
    """Runs the development broker: Kafka's protocol, everything in memory."""
    run_service("broker", _serve_broker)


def _scoring_with(
    run: Callable[..., Awaitable[None]], kind: Callable[[CollectorRegistry, int], Metrics]
) -> Callable[[Settings, asyncio.Event], Awaitable[None]]:
    """Returns what runs a service around an engine that follows announced adapters."""

    async def serve(settings: Settings, stop: asyncio.Event) -> None:
        metrics = kind(CollectorRegistry(), settings.drift_window_scores)
        engine = await _open_engine(settings, metrics)
        try:
            async with following_adapters(settings, engine, metrics) as is_following:
                await run(settings, engine, metrics, stop=stop, ready={"adapters": is_following})
        finally:
            await asyncio.to_thread(engine.close, settings.drain_seconds)

    return serve


async def _open_engine(settings: Settings, metrics: ScoringMetrics) -> ScoringEngine:
    log = get_logger(__name__)
    started = time.monotonic()

    def load() -> ScoringEngine:
        engine = build_engine(settings, metrics, log.info)
        engine.start()
        return engine

    # On a thread, so that a signal during the load is seen.
    engine = await asyncio.to_thread(load)
    log.info("model ready", base_model=settings.base_model, seconds=round(time.monotonic() - started, 1))
    return engine


async def _serve_broker(settings: Settings, stop: asyncio.Event) -> None:
    with EmbeddedBroker(settings.broker_host, settings.broker_port) as running:
        address = running.bootstrap_servers
        await create_topics(settings.model_copy(update={"kafka_bootstrap_servers": address}))
        out.print(f"broker on {address} (in memory; Ctrl-C ends it)")
        await stop.wait()
