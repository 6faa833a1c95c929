"""``resume-scorer worker``, ``api`` and ``broker``: one service each, until SIGTERM or Ctrl-C."""

import asyncio
import time
from typing import TYPE_CHECKING

import click

from services.devkit.console import out

if TYPE_CHECKING:
    from services.process.metrics import ScoringMetrics
    from services.process.settings import Settings
    from services.scoring.engine.scoring_engine import ScoringEngine


@click.command()
def worker() -> None:
    """Scores applications from Kafka."""
    from services.process.logging import configure_logging
    from services.process.settings import load_settings

    settings = load_settings()
    configure_logging(settings, "scoring-worker")
    asyncio.run(_run_worker(settings))


async def _run_worker(settings: "Settings") -> None:
    from prometheus_client import CollectorRegistry

    from services.process.metrics import ScoringMetrics
    from services.process.shutdown import stop_on_signals
    from services.rollout.watch import following_adapters
    from services.scoring_worker.app import run_worker
    from services.scoring_worker.faust_app import leave_without_faust

    metrics = ScoringMetrics(CollectorRegistry(), settings.drift_window_scores)
    with stop_on_signals() as stop:
        engine = await _open_engine(settings, metrics)
        try:
            async with following_adapters(settings, engine, metrics) as is_following:
                await run_worker(settings, engine, metrics, stop=stop, ready={"adapters": is_following})
        finally:
            await asyncio.to_thread(engine.close, settings.drain_seconds)
    leave_without_faust()


@click.command()
def api() -> None:
    """Answers gRPC calls."""
    from services.process.logging import configure_logging
    from services.process.settings import load_settings
    from services.scoring_api.server_transport import check_transport

    settings = load_settings()
    configure_logging(settings, "scoring-api")
    check_transport(settings)  # before the model is loaded, which takes long
    asyncio.run(_run_api(settings))


async def _run_api(settings: "Settings") -> None:
    from prometheus_client import CollectorRegistry

    from services.process.metrics import ScoringMetrics
    from services.process.shutdown import stop_on_signals
    from services.rollout.watch import following_adapters
    from services.scoring_api.app import run_api

    metrics = ScoringMetrics(CollectorRegistry(), settings.drift_window_scores)
    with stop_on_signals() as stop:
        engine = await _open_engine(settings, metrics)
        try:
            async with following_adapters(settings, engine, metrics) as is_following:
                await run_api(settings, engine, metrics, stop=stop, ready={"adapters": is_following})
        finally:
            await asyncio.to_thread(engine.close, settings.drain_seconds)


async def _open_engine(settings: "Settings", metrics: "ScoringMetrics") -> "ScoringEngine":
    from services.process.logging import get_logger
    from services.scoring.engine.factory import build_engine

    log = get_logger(__name__)
    started = time.monotonic()

    def load() -> "ScoringEngine":
        engine = build_engine(settings, metrics, log.info)
        engine.start()
        return engine

    # On a thread, so that a signal during the load is seen.
    engine = await asyncio.to_thread(load)
    log.info("model ready", base_model=settings.base_model, seconds=round(time.monotonic() - started, 1))
    return engine


@click.command()
def broker() -> None:
    """Runs the development broker: Kafka's protocol, everything in memory."""
    from services.process.logging import configure_logging
    from services.process.settings import load_settings

    settings = load_settings()
    configure_logging(settings, "broker")
    asyncio.run(_run_broker(settings))


async def _run_broker(settings: "Settings") -> None:
    from services.devkit.embedded_broker import EmbeddedBroker
    from services.events.kafka_client import create_topics
    from services.process.shutdown import stop_on_signals

    with stop_on_signals() as stop, EmbeddedBroker(settings.broker_host, settings.broker_port) as running:
        address = running.bootstrap_servers
        await create_topics(settings.model_copy(update={"kafka_bootstrap_servers": address}))
        out.print(f"broker on {address} (in memory; Ctrl-C ends it)")
        await stop.wait()
