from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)
from prometheus_client import CollectorRegistry

from services.service_kit import kafka_client
from services.service_kit.dead_letters import DeadLetters
from services.service_kit.event_codec import SourceRecord
from services.service_kit.metrics import ScoringMetrics

RECORD = SourceRecord(
    "applications", 3, 14, b"k\xff", b"not json", (("trace", b"1"), ("trace", b"2")), timestamp_ms=159
)


class FlakyProducer:
    """Fails as told, then takes every record."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.sent: list[dict[str, Any]] = []

    async def send_and_wait(self, topic: str, **record: Any) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self.sent.append({"topic": topic, **record})


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_client, "PUBLISH_PAUSE_SECONDS", 0)


async def put(producer: FlakyProducer) -> ScoringMetrics:
    metrics = ScoringMetrics(CollectorRegistry())
    await DeadLetters(producer, metrics.dead_letters).put(RECORD, "bad_json", "not JSON", attempts=2)  # type: ignore[arg-type]
    return metrics


async def test_the_record_is_copied_untouched_and_the_reason_added() -> None:
    producer = FlakyProducer(KafkaTimeoutError(), KafkaConnectionError())

    metrics = await put(producer)

    (sent,) = producer.sent
    assert (sent["topic"], sent["key"], sent["value"]) == ("applications.dlq", b"k\xff", b"not json")
    assert sent["timestamp_ms"] == 159
    assert sent["headers"] == [
        ("trace", b"1"),
        ("trace", b"2"),
        ("scorer.error.kind", b"bad_json"),
        ("scorer.error.message", b"not JSON"),
        ("scorer.error.topic", b"applications"),
        ("scorer.error.partition", b"3"),
        ("scorer.error.offset", b"14"),
        ("scorer.error.attempts", b"2"),
    ]
    counted = metrics.registry.get_sample_value("scoring_dead_letters_total", {"error_kind": "bad_json"})
    assert counted == 1


async def test_a_record_too_large_with_its_reason_is_kept_without_its_value() -> None:
    producer = FlakyProducer(MessageSizeTooLargeError())

    await put(producer)

    (sent,) = producer.sent
    assert sent["value"] is None
    assert ("scorer.error.value_omitted", b"true") in sent["headers"]


async def test_an_error_that_no_retry_cures_is_raised() -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await put(FlakyProducer(TopicAuthorizationFailedError()))
