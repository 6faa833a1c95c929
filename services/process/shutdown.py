"""From a signal to an orderly end."""

import asyncio
import signal
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import contextmanager

from services.process.logging import get_logger

log = get_logger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_on_signals(signals: Iterable[signal.Signals] = STOP_SIGNALS) -> Iterator[asyncio.Event]:
    """Yields an event that SIGTERM or SIGINT sets; a second signal ends the process at once.

    Must be entered on the main thread, inside a running event loop.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    watched = tuple(signals)

    def on_signal(received: signal.Signals) -> None:
        log.info("stopping", signal=received.name)
        stop.set()
        for each in watched:  # an impatient second one gets the default: the end
            loop.remove_signal_handler(each)

    for each in watched:
        loop.add_signal_handler(each, on_signal, each)
    try:
        yield stop
    finally:
        for each in watched:
            loop.remove_signal_handler(each)


async def drain(work: Awaitable[object], seconds: float) -> bool:
    """Waits for work in flight, but not for ever.

    Args:
        work: ends when nothing is in flight; cancelled when the time is over.

    Returns:
        Whether it ended in time.
    """
    try:
        await asyncio.wait_for(work, seconds)
    except TimeoutError:
        log.warning("drain time is over; what is left will be done again after the restart", seconds=seconds)
        return False
    return True
