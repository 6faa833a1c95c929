"""What worker and API share: a service around an engine that follows announced adapters."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from prometheus_client import CollectorRegistry

from services.process.logging import get_logger
from services.process.metrics.scoring import ScoringMetrics
from services.process.settings import Settings
from services.rollout import following_adapters
from services.scoring.engine import ScoringEngine, build_engine

log = get_logger(__name__)

Metrics = TypeVar("Metrics", bound=ScoringMetrics)


def scoring_with(
    run: Callable[..., Awaitable[None]], new_metrics: Callable[[CollectorRegistry, int], Metrics]
) -> Callable[[Settings, asyncio.Event], Awaitable[None]]:
    """Returns what loads the model, keeps it on the announced adapter beside a service, and drains it then.

    Args:
        run: ``run_worker`` or ``run_api``.
    """

    async def serve(settings: Settings, stop: asyncio.Event) -> None:
        metrics = new_metrics(CollectorRegistry(), settings.drift_window_scores)
        # On a thread, so that a signal during the load is seen.
        engine = await asyncio.to_thread(_start_engine, settings, metrics)
        try:
            async with following_adapters(settings, engine, metrics) as is_following:
                await run(settings, engine, metrics, stop=stop, ready={"adapters": is_following})
        finally:
            await asyncio.to_thread(engine.close, settings.drain_seconds)

    return serve


def _start_engine(settings: Settings, metrics: ScoringMetrics) -> ScoringEngine:
    started = time.monotonic()
    engine = build_engine(settings, metrics, log.info)
    engine.start()
    log.info("model ready", base_model=settings.base_model, seconds=round(time.monotonic() - started, 1))
    return engine
