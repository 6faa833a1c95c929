"""The composition root of the scoring API."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import grpc

from services.contracts.engine import PairScorer
from services.process.audit_log import open_audit_log
from services.process.health_server import Checks, HealthServer
from services.process.logging import get_logger
from services.process.settings import Settings
from services.process.shutdown import drain
from services.process.tracing import Tracing
from services.scoring_api.access.access_control import AccessControl
from services.scoring_api.access.call_entry import CallEntry
from services.scoring_api.access.call_pools import CallPools
from services.scoring_api.access.connections import close_connections
from services.scoring_api.access.known_callers import KnownCallers
from services.scoring_api.access.rate_limits import RateLimits
from services.scoring_api.access.server_transport import open_port
from services.scoring_api.calls.adapter_servicer import AdapterServicer
from services.scoring_api.calls.call_answers import CallAnswers
from services.scoring_api.calls.feedback_servicer import FeedbackServicer
from services.scoring_api.calls.health_service import ServerHealth
from services.scoring_api.calls.kafka_label_publisher import KafkaLabelPublisher
from services.scoring_api.calls.label_publisher import LabelPublisher
from services.scoring_api.calls.pair_scoring import PairScoring
from services.scoring_api.calls.scoring_servicer import ScoringServicer
from services.scoring_api.grpc_server import SERVICE_NAMES, build_server
from services.scoring_api.metrics import ApiMetrics

log = get_logger(__name__)

# For news to reach clients: that the server drains, or a last answer.
SETTLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class ApiAddresses:
    """Where the API listens, with the real ports.

    Attributes:
        grpc: host and port.
        http_port: port of /metrics, /livez and /readyz.
    """

    grpc: str
    http_port: int


async def run_api(
    settings: Settings,
    scorer: PairScorer,
    metrics: ApiMetrics,
    *,
    stop: asyncio.Event,
    publisher: LabelPublisher | None = None,
    warm_up: Callable[[], Awaitable[object]] | None = None,
    on_listening: Callable[[ApiAddresses], None] | None = None,
    tracing: Tracing | None = None,
    ready: Checks | None = None,
) -> None:
    """Serves until ``stop`` is set, then drains for at most ``settings.drain_seconds``.

    Args:
        scorer: the model; stays open, so that the caller can share it with a worker.
        publisher: writes labels; None: the one that writes to Kafka.
        warm_up: makes the scorer ready; until it returns, health says NOT_SERVING. None: it is ready.
        on_listening: told the addresses, before the warm-up.
        tracing: of calls; None: that of the settings.
        ready: further checks for /readyz and grpc.health.v1, such as whether adapters are followed.

    Raises:
        SettingsInvalid: an address cannot be bound, a file of tokens or certificates cannot be used, or the
            port would be open to other machines without TLS.
        what ``warm_up`` raises.
    """
    health, callers = ServerHealth(SERVICE_NAMES), KnownCallers(settings)
    metrics.watch_tokens(lambda: callers.is_file_failing)
    async with AsyncExitStack() as stack:  # closed last to first
        audit = open_audit_log(settings, "scoring-api", metrics.audit_failures.inc)
        stack.push_async_callback(audit.close)
        checks = {"tokens": lambda: callers.are_known, "audit": lambda: audit.is_writable, **(ready or {})}
        http = await stack.enter_async_context(_http_server(settings, scorer, metrics, health, checks))
        if publisher is None:
            publisher = KafkaLabelPublisher(settings)
            stack.push_async_callback(publisher.close)
        tracing = tracing or Tracing(settings.tracing_endpoint, "scoring-api")
        stack.push_async_callback(asyncio.to_thread, tracing.close)
        limits = RateLimits(settings.grpc_rate_per_second, settings.grpc_rate_burst)
        answers = CallAnswers(limits, metrics.count_refusal, tracing)
        deadline_seconds = settings.grpc_default_deadline_seconds
        entry = CallEntry(deadline_seconds, settings.grpc_idle_stream_seconds, metrics.count_refusal)
        server = build_server(
            settings,
            ScoringServicer(
                PairScoring(scorer, metrics, audit),
                answers,
                deadline_seconds,
                settings.grpc_idle_stream_seconds,
            ),
            FeedbackServicer(publisher, answers, deadline_seconds),
            AdapterServicer(settings, scorer, answers),
            health,
            AccessControl(callers, CallPools(settings), entry, metrics.count_refusal),
        )
        address = open_port(server, settings, metrics.watch_certificate)
        await server.start()
        port = int(address.rpartition(":")[2])
        stack.push_async_callback(_drain, server, port, health, answers, settings.drain_seconds)
        if on_listening is not None:
            on_listening(ApiAddresses(address, http.port))
        if warm_up is not None:
            await warm_up()
        health.set_serving(True)
        following = asyncio.create_task(health.follow(checks))
        stack.callback(following.cancel)
        log.info("api ready", address=address)
        await stop.wait()


def _http_server(
    settings: Settings, scorer: PairScorer, metrics: ApiMetrics, health: ServerHealth, checks: Checks
) -> HealthServer:
    return HealthServer(
        settings,
        "api_metrics_port",
        metrics.registry,
        live={"model": lambda: scorer.seconds_since_progress() <= settings.hang_seconds},
        ready={"serving": lambda: health.is_serving, **checks},
    )


async def _drain(
    server: grpc.aio.Server, port: int, health: ServerHealth, answers: CallAnswers, drain_seconds: float
) -> None:
    health.set_serving(False)
    # From here on new calls get UNAVAILABLE; those in flight have until the end of the drain time.
    answers.draining.set()
    await drain(_send_away(port, answers), drain_seconds)
    close_connections(port, spared=())
    await server.stop(None)
    log.info("api stopped")


async def _send_away(port: int, answers: CallAnswers) -> None:
    """Ends each connection once its calls are answered; what it holds beside them never ends of itself."""
    while True:
        await asyncio.sleep(SETTLE_SECONDS)
        if answers.is_idle:
            return
        close_connections(port, answers.waiting_peers)
