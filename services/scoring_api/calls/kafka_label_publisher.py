"""Labels on their way to Kafka, connected at the first one: scoring needs no Kafka."""

import asyncio

from services.contracts.topics import SCORE_LABELLED
from services.events.kafka_client import start_producer, stop_producer
from services.events.kafka_types import KafkaError, Producer
from services.events.wire.event_codec import cloud_event_headers, encode_event
from services.pb.scoring.v1.events_pb2 import ScoreLabelled
from services.process.logging import get_logger
from services.process.settings import KafkaSettings
from services.process.tracing import current_trace
from services.scoring_api.answers.call_errors import LabelNotPublished
from services.scoring_api.calls.label_publisher import RecordPosition

log = get_logger(__name__)

# A person waits for the answer; a healthy cluster confirms within milliseconds.
TIMEOUT_SECONDS = 10.0


class KafkaLabelPublisher:
    """Implements ``LabelPublisher``; must be used on one event loop, and closed on it.

    Args:
        settings: where Kafka is.
        timeout_seconds: for connecting and for the confirmation together.
    """

    def __init__(self, settings: KafkaSettings, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._settings = settings
        self._timeout_seconds = timeout_seconds
        self._starting: asyncio.Task[Producer] | None = None

    async def publish(self, label: ScoreLabelled) -> RecordPosition:
        """Writes one label; see ``LabelPublisher.publish``."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                producer = await self._connected()
                written = await producer.send_and_wait(
                    SCORE_LABELLED,
                    key=label.application_id.encode(),
                    value=encode_event(label),
                    headers=[*cloud_event_headers(SCORE_LABELLED), *current_trace.get().headers()],
                )
        except (KafkaError, OSError) as error:  # TimeoutError is an OSError
            log.warning("a label could not be published", error=type(error).__name__)
            raise LabelNotPublished("Kafka did not take the label") from error
        return RecordPosition(written.partition, written.offset)

    async def close(self) -> None:
        """Ends the connection, after what is in flight has been sent."""
        starting, self._starting = self._starting, None
        if starting is None:
            return
        if not starting.done():
            starting.cancel()
        await asyncio.wait((starting,))
        if not _has_failed(starting):
            await stop_producer(starting.result())

    async def _connected(self) -> Producer:
        if self._starting is None or _has_failed(self._starting):
            self._starting = asyncio.create_task(start_producer(self._settings))
        # Shared by every label that waits for it, so no single caller may cancel it.
        return await asyncio.shield(self._starting)


def _has_failed(task: asyncio.Task[Producer]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
