"""The HTTP port of a process: /metrics, /livez and /readyz."""

import errno
from collections.abc import Callable, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from services.contracts.errors import SettingsInvalid
from services.process.logging import get_logger
from services.process.settings import OperationSettings, variable_of

log = get_logger(__name__)

# What is wrong, by check; an empty answer means that all is well.
Checks = Mapping[str, Callable[[], bool]]
ACCESS_LOG_OFF = None


class HealthServer:
    """Serves metrics and health while the context lasts.

    Attributes:
        port: the port it listens on, once started.
    """

    def __init__(
        self,
        settings: OperationSettings,
        port_setting: str,
        registry: CollectorRegistry,
        *,
        live: Checks,
        ready: Checks,
    ) -> None:
        """Describes the server.

        Args:
            settings: ``metrics_host`` and the port.
            port_setting: name of the settings field that holds the port.
            live: named checks; if one fails, the process should be restarted.
            ready: named checks; while one fails, no work should be sent here.
        """
        self._host = settings.metrics_host
        self._port_setting = port_setting
        self._wanted_port: int = getattr(settings, port_setting)
        # Two workers on one machine must not need a setting; a port that was asked for must be kept.
        self._may_move = self._wanted_port == type(settings).model_fields[port_setting].default
        self._registry = registry
        self._checks = {"/livez": live, "/readyz": ready}
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> "HealthServer":
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        for path in self._checks:
            app.router.add_get(path, self._health)
        self._runner = web.AppRunner(app, access_log=ACCESS_LOG_OFF)
        await self._runner.setup()
        try:
            self.port = await self._listen(self._runner)
        except BaseException:
            await self._runner.cleanup()
            raise
        log.info("metrics and health are served", host=self._host, port=self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> int:
        try:
            await web.TCPSite(runner, self._host, self._wanted_port).start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not self._may_move:
                raise SettingsInvalid(
                    f"{variable_of(self._port_setting)}: {self._host}:{self._wanted_port} cannot be used: "
                    f"{error.strerror}"
                ) from error
            await web.TCPSite(runner, self._host, 0).start()
        port: int = runner.addresses[0][1]
        return port

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})

    async def _health(self, request: web.Request) -> web.Response:
        outcomes = {name: check() for name, check in self._checks[request.path].items()}
        is_well = all(outcomes.values())
        body = {
            "status": "ok" if is_well else "failing",
            "checks": {name: "ok" if passed else "failing" for name, passed in outcomes.items()},
        }
        return web.json_response(body, status=200 if is_well else 503)
