"""Publishes scores, each under an id that the same score has again."""

import time
import uuid
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp

from services.contracts.topics import APPLICATION_SCORED
from services.events.kafka_client import publish
from services.events.kafka_types import Producer
from services.events.wire.event_codec import (
    SourceRecord,
    cloud_event_headers,
    encode_event,
    event_time_seconds,
)
from services.pb.scoring.v1.score_pb2 import ScoreResult, SourceEvent
from services.process.tracing import current_trace
from services.scoring_worker.metrics import WorkerMetrics

# Of which name-based event ids are derived: the same score gets the same ce_id on redelivery.
EVENT_ID_NAMESPACE = uuid.UUID("6f1f2f1e-52a4-5a86-9f0a-6a0a6f6b7a11")
END_OF_TIMESTAMPS_SECONDS = 253_402_300_800  # the year 10000; producers write what they like


@dataclass(frozen=True, slots=True)
class ScoreWriter:
    """Publishes scores.

    Attributes:
        producer: waits for all replicas.
        metrics: is told how old the event was.
    """

    producer: Producer
    metrics: WorkerMetrics

    async def put(self, record: SourceRecord, result: ScoreResult) -> None:
        """Writes one score, with the event that it answers, and returns when the broker has it."""
        result.source.CopyFrom(source_event(record))
        headers = cloud_event_headers(APPLICATION_SCORED, event_id(result))
        trace = current_trace.get()
        with trace.step("publish"):
            await publish(
                self.producer,
                APPLICATION_SCORED,
                key=result.application_id.encode(),
                value=encode_event(result),
                headers=[*headers, *trace.headers()],
            )
        happened = event_time_seconds(record.headers, record.timestamp_ms)
        if happened is not None:
            self.metrics.event_age_seconds.observe(max(0.0, time.time() - happened))


def source_event(record: SourceRecord) -> SourceEvent:
    """Returns where a record stands and when it happened."""
    source = SourceEvent(topic=record.topic, partition=record.partition, offset=record.offset)
    happened = event_time_seconds(record.headers, record.timestamp_ms)
    if happened is not None and 0 <= happened < END_OF_TIMESTAMPS_SECONDS:
        time_of_event = Timestamp()
        time_of_event.FromMilliseconds(int(happened * 1000))
        source.time.CopyFrom(time_of_event)
    return source


def event_id(result: ScoreResult) -> str:
    """Returns the id of a score: the same for the same event scored the same way, else another one.

    It is derived of all that the result is a function of. The event is part of that: an application that is
    sent once more as it was before its correction is news, and whoever drops known ids must not drop it.
    """
    parts = (
        result.application_id,
        result.job_id,
        result.resume_sha256,
        result.job_sha256,
        result.job_version if result.HasField("job_version") else "",
        result.adapter_digest,
        result.base_model,
        result.prompt_version,
        result.identity_masked,
        result.source.topic,
        result.source.partition,
        result.source.offset,
    )
    return str(uuid.uuid5(EVENT_ID_NAMESPACE, "\0".join(map(str, parts))))
