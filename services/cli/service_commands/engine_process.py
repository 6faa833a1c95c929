"""What worker and API share: a process with an engine in it, until SIGTERM or Ctrl-C."""

import asyncio
import time
from typing import Protocol

from prometheus_client import CollectorRegistry

from services.process.engine_settings import engine_spec
from services.process.health_server import Checks
from services.process.logging import get_logger
from services.process.metrics import ScoringMetrics
from services.process.settings import Settings
from services.process.shutdown import stop_on_signals
from services.rollout.watch import following_adapters
from services.scoring.engine.factory import build_engine
from services.scoring.engine.scoring_engine import ScoringEngine

log = get_logger(__name__)


class Service(Protocol):
    """``run_worker`` or ``run_api``: serves until ``stop`` is set; not ready while a check says so."""

    async def __call__(
        self,
        settings: Settings,
        engine: ScoringEngine,
        metrics: ScoringMetrics,
        /,
        *,
        stop: asyncio.Event,
        ready: Checks,
    ) -> None: ...


async def run_with_engine(settings: Settings, run_service: Service) -> None:
    """Loads the model, keeps it on the announced adapter beside a service, and drains it when that ends."""
    metrics = ScoringMetrics(CollectorRegistry(), settings.drift_window_scores)
    with stop_on_signals() as stop:
        # On a thread, so that a signal during the load is seen.
        engine = await asyncio.to_thread(_start_engine, settings, metrics)
        try:
            async with following_adapters(settings, engine, metrics) as is_following:
                await run_service(settings, engine, metrics, stop=stop, ready={"adapters": is_following})
        finally:
            await asyncio.to_thread(engine.close, settings.drain_seconds)


def _start_engine(settings: Settings, metrics: ScoringMetrics) -> ScoringEngine:
    started = time.monotonic()
    engine = build_engine(engine_spec(settings), metrics, log.info)
    engine.start()
    log.info("model ready", base_model=settings.base_model, seconds=round(time.monotonic() - started, 1))
    return engine
