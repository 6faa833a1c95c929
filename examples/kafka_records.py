"""Publishing events as the service expects them: protobuf's JSON, keyed, with CloudEvents headers."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer
from google.protobuf import json_format
from google.protobuf.message import Message

SOURCE = "/example-ats"
DEFAULT_SERVERS = "127.0.0.1:9092"


@asynccontextmanager
async def connected_producer(bootstrap_servers: str) -> AsyncIterator[AIOKafkaProducer]:
    """Yields a producer that waits for all replicas.

    Against Apache Kafka add ``enable_idempotence=True``; the development broker has no producer ids.
    """
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all", max_request_size=2 * 1024**2)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def publish(producer: AIOKafkaProducer, topic: str, records: Iterable[tuple[str, Message]]) -> int:
    """Writes events and returns how many, once the broker has them all.

    Args:
        producer: started.
        topic: where to.
        records: key and event of each.
    """
    waiting = [
        await producer.send(
            topic,
            key=key.encode(),
            value=json_format.MessageToJson(event, preserving_proto_field_name=True, indent=None).encode(),
            headers=_headers(topic),
        )
        for key, event in records
    ]
    await asyncio.gather(*waiting)
    return len(waiting)


def _headers(topic: str) -> list[tuple[str, bytes]]:
    attributes = {
        "ce_id": str(uuid.uuid4()),
        "ce_type": topic,
        "ce_source": SOURCE,
        "ce_specversion": "1.0",
        "ce_time": datetime.now(UTC).isoformat(),
        "content-type": "application/json",
    }
    return [(name, value.encode()) for name, value in attributes.items()]
