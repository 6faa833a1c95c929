"""The Faust app: group membership, partitions, buffers and commits of the worker.

Faust commits what its events acknowledge. Left alone it loses records: ``take()`` acknowledges a
batch that raised, and a hole before the first acknowledgement is committed past. Both are shut
out here: streams run with ``noack``, an event is acknowledged only after its result was
delivered and after all events before it in its partition, and an agent never raises. What Faust
fetched is compared with what it delivered (``delivery_check``). A SIGKILL therefore repeats
records and loses none: ``python -m tests.programs.faults worker-kills``.
"""

import asyncio
import logging
import os
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import faust
from faust.sensors.monitor import Monitor

from services.contracts.topics import APPLICATION_SUBMITTED
from services.events.kafka_client import ssl_context
from services.events.wire.batch_reading import read_past_damage
from services.events.wire.event_codec import SourceRecord, known_time
from services.process.settings import WorkerSettings
from services.scoring_worker.metrics import WorkerMetrics

COMMIT_SECONDS = 0.5  # bounds what a crash repeats, beside what was in flight
HEARTBEATS_PER_SESSION = 4
REQUEST_TIMEOUT_SECONDS = 40.0
MAX_POLL_RECORDS = 100  # a record may be a megabyte


def build_faust_app(settings: WorkerSettings, metrics: WorkerMetrics) -> faust.App:
    """Returns an app of the running event loop, without a web server, signals or logging of its own."""
    read_past_damage()
    return faust.App(
        settings.worker_group,
        loop=asyncio.get_running_loop(),
        monitor=OffsetMonitor(metrics),
        broker=[f"kafka://{server.strip()}" for server in settings.kafka_bootstrap_servers.split(",")],
        broker_credentials=_credentials(settings),
        broker_session_timeout=settings.kafka_session_timeout_seconds,
        broker_heartbeat_interval=settings.kafka_session_timeout_seconds / HEARTBEATS_PER_SESSION,
        broker_request_timeout=max(REQUEST_TIMEOUT_SECONDS, 2 * settings.kafka_session_timeout_seconds),
        broker_commit_interval=COMMIT_SECONDS,
        broker_max_poll_records=MAX_POLL_RECORDS,
        consumer_auto_offset_reset="earliest",
        stream_buffer_maxsize=2 * settings.worker_max_in_flight,
        # At a rebalance what is in flight goes on; waiting for it could outlast the session.
        stream_wait_empty=False,
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        datadir=str(_empty_folder()),
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        autodiscover=False,
    )


def _empty_folder() -> Path:
    """Returns the folder that Faust insists on. Tables live in memory, so all workers of a user can share it.

    One of its own for each worker would be left behind by every worker that is killed.
    """
    return Path(tempfile.gettempdir()) / f"scoring-worker-faust-{os.getuid()}"


def leave_without_faust() -> None:
    """Ends this process with exit code 0 if a thread of Faust's goes on; to be called last.

    With the broker away that thread waits for answers to its last requests, and the interpreter would wait
    for it, past any grace period.
    """
    if any(type(thread).__module__.partition(".")[0] == "mode" for thread in threading.enumerate()):
        logging.getLogger(__name__).warning("Faust does not end; leaving without it")
        logging.shutdown()
        os._exit(0)


def add_agent(
    app: faust.App, topic: str, name: str, on_event: Callable[[faust.EventT], Awaitable[None]]
) -> None:
    """Hands every event of a topic to ``on_event``, one at a time, without acknowledging it."""

    async def consume(stream: faust.StreamT) -> None:
        last_offsets: dict[Any, int] = {}
        async for event in stream.noack().events():
            partition, offset = event.message.tp, event.message.offset
            if last_offsets.get(partition) == 0 and offset > 1:
                # Faust overlooks a gap behind offset 0, and then commits nothing behind it until a restart.
                await app.consumer._add_gap(partition, 1, offset - 1)  # noqa: SLF001
            last_offsets[partition] = offset
            await on_event(event)

    source = app.topic(topic, key_serializer="raw", value_serializer="raw", allow_empty=True)
    app.agent(source, name=name)(consume)


def source_record(event: faust.EventT) -> SourceRecord:
    """Returns a record that Faust delivered."""
    message: Any = event.message
    headers = message.headers or ()
    return SourceRecord(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        headers=tuple(headers.items() if isinstance(headers, dict) else headers),
        timestamp_ms=known_time(None if message.timestamp is None else round(message.timestamp * 1000)),
    )


class OffsetMonitor(Monitor):  # type: ignore[misc]  # Faust's own stubs are not followed
    """Tells the metrics what Faust commits and how far the partitions reach."""

    logger = logging.getLogger("faust.monitor")  # else its starts and stops pass for our own events

    def __init__(self, metrics: WorkerMetrics) -> None:
        super().__init__()
        self._metrics = metrics

    def on_tp_commit(self, tp_offsets: Any) -> None:
        super().on_tp_commit(tp_offsets)
        for partition, offset in tp_offsets.items():
            if partition.topic == APPLICATION_SUBMITTED:
                self._metrics.committed_offset.labels(str(partition.partition)).set(offset)

    def track_tp_end_offset(self, tp: Any, offset: int) -> None:
        super().track_tp_end_offset(tp, offset)
        if tp.topic == APPLICATION_SUBMITTED and offset is not None:
            self._metrics.end_offset.labels(str(tp.partition)).set(offset)


def _credentials(settings: WorkerSettings) -> Any:
    context = ssl_context(settings) if settings.kafka_security_protocol.endswith("SSL") else None
    if settings.kafka_security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=settings.kafka_sasl_username,
            password=settings.kafka_sasl_password.get_secret_value(),
            mechanism=settings.kafka_sasl_mechanism,
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)
