"""``grpc.health.v1.Health``: whether calls are wanted, asked once or watched.

grpcio's own asyncio servicer holds a lock while it writes to a watcher, so that one who takes no answer holds
up every change of the status, that of a drain included; and it has no List.
"""

import asyncio
from collections.abc import Iterable

import grpc
from grpc_health.v1.health_pb2 import (
    HealthCheckRequest,
    HealthCheckResponse,
    HealthListRequest,
    HealthListResponse,
)
from grpc_health.v1.health_pb2_grpc import HealthServicer

from services.process.health_server import Checks

# Probes come every few seconds.
FOLLOW_SECONDS = 1.0
WHOLE_SERVER = ""  # the name that health clients ask for when they name no service


class ServerHealth(HealthServicer):  # type: ignore[misc]
    """Tells the status of each service and of the whole server; all have the same.

    Attributes:
        is_serving: whether calls are wanted.
    """

    def __init__(self, services: Iterable[str]) -> None:
        self._names = frozenset({WHOLE_SERVER, *services})
        self._changed = asyncio.Event()
        self.is_serving = False

    def set_serving(self, is_serving: bool) -> None:
        """Changes the status; clients that watch are told."""
        self.is_serving = is_serving
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def follow(self, checks: Checks) -> None:
        """Keeps the status that of the checks, until it is cancelled."""
        while True:
            is_well = all(check() for check in checks.values())
            if is_well != self.is_serving:
                self.set_serving(is_well)
            await asyncio.sleep(FOLLOW_SECONDS)

    async def Check(
        self, request: HealthCheckRequest, context: grpc.aio.ServicerContext
    ) -> HealthCheckResponse:
        """Answers with the status; NOT_FOUND for a service that is not here."""
        if request.service not in self._names:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service")
        return self._answer(request.service)

    async def List(self, request: HealthListRequest, context: grpc.aio.ServicerContext) -> HealthListResponse:
        """Answers with the status of every service."""
        return HealthListResponse(statuses={name: self._answer(name) for name in self._names})

    async def Watch(self, request: HealthCheckRequest, context: grpc.aio.ServicerContext) -> None:
        """Writes the status, and again whenever it has changed; who is slow misses what was between."""
        told: HealthCheckResponse | None = None
        while True:
            changed, answer = self._changed, self._answer(request.service)
            if answer != told:
                await context.write(answer)
                told = answer
            await changed.wait()

    def _answer(self, service: str) -> HealthCheckResponse:
        if service not in self._names:
            return HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
        is_serving = self.is_serving
        return HealthCheckResponse(
            status=HealthCheckResponse.SERVING if is_serving else HealthCheckResponse.NOT_SERVING
        )
