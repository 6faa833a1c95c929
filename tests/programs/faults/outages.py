"""The broker goes away, and services are told to end: at work, and while the broker is away."""

import asyncio
import signal
import time
from pathlib import Path

import grpc

from services.pb.scoring.v1.events_pb2 import ScoreLabelled
from services.pb.scoring.v1.feedback_service_pb2 import SubmitLabelRequest
from services.pb.scoring.v1.feedback_service_pb2_grpc import FeedbackServiceStub
from tests.doubles.ports import free_port
from tests.programs.faults.applications import Applications, fault_settings, sending
from tests.programs.faults.broker import cuttable_broker
from tests.programs.faults.fleet import Fleet, Service

NUM_APPLICATIONS = 400
PATIENCE_SECONDS = 240.0
NOTICE_SECONDS = 15.0  # until /readyz tells that the broker is away
RECOVERY_SECONDS = 60.0
LABEL_SECONDS = 12.0
# Beside the drain: the last commit, the connections, and the interpreter's own end. With the default drain of
# 20 seconds that is the 45 of compose.yaml, and less than the 60 of the Kubernetes manifests.
END_SECONDS = 25.0


async def broker_gone(
    folder: Path,
    away_seconds: float = 20.0,
    num_applications: int = NUM_APPLICATIONS,
    *,
    is_model_real: bool = True,
) -> dict[str, float]:
    """The broker stops, its connections are cut, it goes on: worker and trainer recover by themselves.

    Args:
        folder: for logs.
        away_seconds: how long it is gone.
        num_applications: half are sent before, half after.
        is_model_real: with the tiny Gemma and an API beside the worker, or a worker without any model.

    Returns:
        What was counted.
    """
    async with cuttable_broker() as (broker, address):
        settings = fault_settings(address)
        changes = {"worker_max_in_flight": 16}
        with Fleet(settings, folder, is_model_real=is_model_real, **changes) as fleet:
            async with sending(settings) as applications:
                fleet.start("worker")
                fleet.start("trainer")
                labels = _Labels()
                if is_model_real:
                    fleet.start("api", grpc_port=labels.port)
                await asyncio.gather(*(each.until_ready() for each in fleet.services))
                await applications.send(num_applications // 2)
                await applications.until(num_applications // 8, PATIENCE_SECONDS)

                broker.stop()
                stopped = time.monotonic()
                noticed = await _noticed(fleet, away_seconds)
                refused = await labels.submit("during") if is_model_real else "not asked"
                lives = [(await each.ask("/livez"))[0] for each in fleet.services]
                await asyncio.sleep(max(0.0, away_seconds - (time.monotonic() - stopped)))
                num_cut = broker.cut()
                broker.go_on()

                back = time.monotonic()
                for each in fleet.services:
                    await each.until("/readyz", lambda status: status == 200, RECOVERY_SECONDS)
                recovery_seconds = time.monotonic() - back
                await applications.send(num_applications - len(applications.sent))
                await applications.until(num_applications, PATIENCE_SECONDS)
                accepted = await labels.submit("after") if is_model_real else "not asked"
                counts: dict[str, float] = dict(applications.counts())
            crashed = fleet.crashed()
            num_alive = sum(each.is_alive for each in fleet.services)
            num_services = len(fleet.services)
    counts |= {
        "away_seconds": away_seconds,
        "connections_cut": num_cut,
        "worker_noticed_seconds": round(noticed, 1),
        "recovery_seconds": round(recovery_seconds, 1),
        "crashed": len(crashed),
    }
    assert not crashed, crashed[0]
    assert num_alive == num_services, f"{num_alive} of {num_services} services are alive"
    assert set(lives) == {200}, f"away is no reason for a restart: {lives}"
    assert noticed <= NOTICE_SECONDS, f"/readyz told it after {noticed} s"
    assert counts["scored"] == counts["sent"], counts
    assert counts["lost"] == counts["dead_letters"] == counts["differing"] == 0, counts
    assert refused in ("UNAVAILABLE", "not asked"), f"a label while the broker was away: {refused}"
    assert accepted in ("OK", "not asked"), f"a label afterwards: {accepted}"
    return counts


async def terminated(
    folder: Path, drain_seconds: float = 10.0, *, is_model_real: bool = True
) -> dict[str, float]:
    """SIGTERM at work, and a worker's while the broker is away: an end in time, with exit code 0.

    Args:
        folder: for logs.
        drain_seconds: what each service has for work in hand.
        is_model_real: with the tiny Gemma and an API beside worker and trainer, or without any model.

    Returns:
        What was counted.
    """
    async with cuttable_broker() as (broker, address):
        settings = fault_settings(address)
        with Fleet(
            settings,
            folder,
            is_model_real=is_model_real,
            drain_seconds=drain_seconds,
            worker_max_in_flight=16,
        ) as fleet:
            async with sending(settings) as applications:
                names = ("worker", "trainer", "api") if is_model_real else ("worker", "trainer")
                seconds = {}
                services = [fleet.start(name, grpc_port=0) for name in names]
                await _at_work(services, applications)
                for service in services:
                    seconds[service.name] = await _end(service, drain_seconds)

                lonely = fleet.start("worker")
                await _at_work([lonely], applications)
                broker.stop()
                seconds["worker_without_broker"] = await _end(lonely, drain_seconds)
                broker.go_on()

                fleet.start("worker")
                await applications.until(len(applications.sent), PATIENCE_SECONDS)
                counts: dict[str, float] = dict(applications.counts())
    counts |= {f"{name}_seconds": round(each, 1) for name, each in seconds.items()}
    assert counts["scored"] == counts["sent"], counts
    assert counts["lost"] == counts["differing"] == 0, counts
    return counts


async def _at_work(services: list[Service], applications: Applications) -> None:
    await asyncio.gather(*(each.until_ready() for each in services))
    before = applications.num_done
    await applications.send(NUM_APPLICATIONS // 2)
    await applications.until(before + NUM_APPLICATIONS // 8, PATIENCE_SECONDS)


async def _end(service: Service, drain_seconds: float) -> float:
    started = time.monotonic()
    service.send(signal.SIGTERM)
    exit_code = await service.exit_code(drain_seconds + END_SECONDS)
    assert exit_code == 0, f"{service.name} ended with {exit_code}: {service.tail()}"
    return time.monotonic() - started


async def _noticed(fleet: Fleet, seconds: float) -> float:
    started = time.monotonic()
    worker = fleet.alive("worker")[0]
    await worker.until("/readyz", lambda status: status == 503, max(seconds, NOTICE_SECONDS))
    return time.monotonic() - started


class _Labels:
    """Submits labels to an API.

    Attributes:
        port: where the API is to listen.
    """

    def __init__(self) -> None:
        self.port = free_port()

    async def submit(self, name: str) -> str:
        """Returns the name of the status."""
        label = ScoreLabelled(application_id=name, score=50.0, rater="person")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            stub = FeedbackServiceStub(channel)  # type: ignore[no-untyped-call]
            try:
                await stub.SubmitLabel(SubmitLabelRequest(label=label), timeout=LABEL_SECONDS)
            except grpc.aio.AioRpcError as error:
                return str(error.code().name)
        return "OK"
