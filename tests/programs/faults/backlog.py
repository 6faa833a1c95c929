"""Far more applications on Kafka than a worker can score: they wait there, and not in its memory."""

import asyncio
import time
from pathlib import Path

from tests.programs.faults.applications import Applications, any_broker, fault_settings, sending
from tests.programs.faults.fleet import Fleet, Service

MAX_IN_FLIGHT = 32
MEASURED_APPLICATIONS = 200  # sent to learn what the worker can do
TICK_SECONDS = 0.1
PATIENCE_SECONDS = 120.0
MEBIBYTE = 1024**2
MOST_GROWTH_BYTES = 256 * MEBIBYTE


async def kafka_overload(
    folder: Path, seconds: float = 60.0, factor: float = 10.0, *, is_model_real: bool = True
) -> dict[str, float]:
    """Ten times what one worker can do, for a while: its memory stays, and afterwards everything is scored.

    Args:
        folder: for logs.
        seconds: how long applications come faster than they are scored.
        factor: applications sent for each one that the worker can score.
        is_model_real: the tiny Gemma, or answers without any model.

    Returns:
        What was counted.
    """
    async with any_broker() as address:
        settings = fault_settings(address)
        changes = {"worker_max_in_flight": MAX_IN_FLIGHT}
        with Fleet(settings, folder, is_model_real=is_model_real, **changes) as fleet:
            async with sending(settings) as applications:
                worker = fleet.start("worker")
                await worker.until_ready()
                capacity = await _capacity(applications)
                before = worker.resident_bytes()
                peak = await _flood(applications, worker, capacity * factor, seconds)
                num_waiting = len(applications.sent) - applications.num_done
                started = time.monotonic()
                patience = PATIENCE_SECONDS + 4 * num_waiting / capacity
                peak = max(peak, await _drain(applications, worker, patience))
                counts: dict[str, float] = dict(applications.counts())
            assert worker.is_alive, worker.tail()
    counts |= {
        "capacity_per_second": round(capacity, 1),
        "waiting_at_the_end": num_waiting,
        "drained_in_seconds": round(time.monotonic() - started, 1),
        "memory_growth_mib": round((peak - before) / MEBIBYTE, 1),
    }
    assert num_waiting > capacity * seconds * (factor - 1) / 2, f"it was no overload: {counts}"
    assert counts["scored"] == counts["sent"], counts
    assert counts["lost"] == counts["dead_letters"] == counts["differing"] == 0, counts
    assert peak - before < MOST_GROWTH_BYTES, counts
    return counts


async def _capacity(applications: Applications) -> float:
    """Returns how many applications a second the worker scores; those before are its warm-up."""
    await applications.send(MEASURED_APPLICATIONS)
    await applications.until(MEASURED_APPLICATIONS, PATIENCE_SECONDS)
    started = time.monotonic()
    await applications.send(MEASURED_APPLICATIONS)
    await applications.until(2 * MEASURED_APPLICATIONS, PATIENCE_SECONDS)
    return MEASURED_APPLICATIONS / (time.monotonic() - started)


async def _flood(applications: Applications, worker: Service, per_second: float, seconds: float) -> int:
    """Sends at a rate; returns the most memory that the worker had meanwhile, in bytes."""
    num_before, started, peak = len(applications.sent), time.monotonic(), 0
    while (elapsed := time.monotonic() - started) < seconds:
        due = num_before + int(elapsed * per_second)
        await applications.send(due - len(applications.sent))
        peak = max(peak, worker.resident_bytes())
        await asyncio.sleep(TICK_SECONDS)
    return peak


async def _drain(applications: Applications, worker: Service, patience_seconds: float) -> int:
    """Waits until everything is scored; returns the most memory that the worker had meanwhile, in bytes."""
    waiting = asyncio.create_task(applications.until(len(applications.sent), patience_seconds))
    peak = 0
    while not waiting.done():
        peak = max(peak, worker.resident_bytes())
        await asyncio.sleep(TICK_SECONDS)
    await waiting
    return peak
