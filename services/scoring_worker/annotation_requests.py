"""Asks people to label the least certain applications: active learning, best effort, beside the scoring."""

import asyncio
import time
import uuid

from services.contracts.scoring import PairScore
from services.contracts.topics import ANNOTATION_REQUESTED
from services.events.kafka_client import publish
from services.events.kafka_types import KafkaError, Producer
from services.events.wire.event_codec import cloud_event_headers, encode_event
from services.pb.scoring.v1.events_pb2 import AnnotationRequested
from services.process.logging import get_logger
from services.scoring_worker.annotation_choice import AnnotationChoice, AnnotationChooser, ScoredApplication
from services.scoring_worker.metrics import WorkerMetrics
from services.scoring_worker.score_writer import EVENT_ID_NAMESPACE

log = get_logger(__name__)

# A broker that is away longer loses this request, not the scores that wait for it too.
PUBLISH_SECONDS = 30.0


class AnnotationRequests:
    """Publishes requests for labels, a bounded number an hour for each worker.

    What was asked for is remembered in this process alone: after a restart, or when a partition moved to
    another worker, an application that is scored again may be asked for again.

    Args:
        metrics: count what was asked for.
        requests_per_hour: at most; 0 asks for none.
    """

    def __init__(self, producer: Producer, metrics: WorkerMetrics, requests_per_hour: int) -> None:
        self._producer = producer
        self._metrics = metrics
        self._chooser = AnnotationChooser(requests_per_hour, time.monotonic) if requests_per_hour else None

    def on_scored(self, score: PairScore, job_id: str) -> None:
        """Considers an application whose score has been delivered; returns at once."""
        if self._chooser is not None:
            distribution = score.distribution
            self._chooser.offer(
                ScoredApplication(
                    application_id=score.request_id,
                    job_id=job_id,
                    score=distribution.mean,
                    standard_deviation=distribution.standard_deviation,
                    adapter_digest=score.adapter_digest,
                )
            )

    async def publish_until_cancelled(self) -> None:
        """Publishes the choice of each interval; what Kafka does not take in time is dropped."""
        if self._chooser is None:
            return
        while True:
            await asyncio.sleep(self._chooser.seconds_left)
            choice = self._chooser.take()
            if choice is None:
                continue
            try:
                async with asyncio.timeout(PUBLISH_SECONDS):
                    await self._publish(choice)
            except (KafkaError, TimeoutError) as error:
                log.warning("annotation request not published", error=type(error).__name__)
            else:
                self._metrics.annotation_requests.labels(choice.reason).inc()

    async def _publish(self, choice: AnnotationChoice) -> None:
        application = choice.application
        event = AnnotationRequested(
            application_id=application.application_id,
            job_id=application.job_id,
            score=min(100.0, max(0.0, application.score)),  # a mean may round to 100.0000001
            standard_deviation=application.standard_deviation,
            reason=choice.reason,
        )
        name = f"annotation\0{application.application_id}\0{application.adapter_digest}"
        await publish(
            self._producer,
            ANNOTATION_REQUESTED,
            key=application.application_id.encode(),
            value=encode_event(event),
            headers=cloud_event_headers(ANNOTATION_REQUESTED, str(uuid.uuid5(EVENT_ID_NAMESPACE, name))),
        )
