"""How every service starts and ends: settings, logs, and the signal that stops it."""

import asyncio
from collections.abc import Awaitable, Callable

from services.process.logging import configure_logging
from services.process.settings import Settings, load_settings
from services.process.shutdown import stop_on_signals


def run_service(
    name: str,
    serve: Callable[[Settings, asyncio.Event], Awaitable[None]],
    check: Callable[[Settings], object] = lambda _settings: None,
) -> None:
    """Runs a service of this process until SIGTERM or Ctrl-C.

    Args:
        serve: given the settings and an event that is set when it is to end.
        check: refuses settings before anything that takes long.

    Raises:
        SettingsInvalid: a setting is unknown or unparsable.
        what ``check`` and ``serve`` raise.
    """
    settings = load_settings()
    configure_logging(settings, name)
    check(settings)

    async def serve_until_stopped() -> None:
        with stop_on_signals() as stop:
            await serve(settings, stop)

    asyncio.run(serve_until_stopped())
