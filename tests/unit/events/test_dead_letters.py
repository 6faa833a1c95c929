from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)
from prometheus_client import CollectorRegistry

from services.events import kafka_client
from services.events.dead_letters import DeadLetters
from services.events.wire.batch_reading import Damage, DamagedBytes
from services.events.wire.event_codec import SourceRecord
from services.process.metrics.scoring import ScoringMetrics

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


class NarrowProducer:
    """Takes records up to a size, as a broker with ``max.message.bytes`` does."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.sent: list[dict[str, Any]] = []

    async def send_and_wait(self, topic: str, **record: Any) -> None:
        parts = [record["key"] or b"", record["value"] or b"", *(value for _, value in record["headers"])]
        if sum(map(len, parts)) > self._max_bytes:
            raise MessageSizeTooLargeError
        self.sent.append({"topic": topic, **record})


async def put(producer: Any, record: SourceRecord = RECORD) -> ScoringMetrics:
    metrics = ScoringMetrics(CollectorRegistry())
    await DeadLetters(producer, metrics.dead_letters).put(record, "bad_json", "not JSON", attempts=2)
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


@pytest.mark.parametrize(
    ("key_bytes", "value_bytes", "header_bytes", "omitted"),
    [
        (9, 9, 9, set()),
        (9, 2000, 9, {"value"}),
        (9, 9, 2000, {"headers"}),
        (9, 2000, 2000, {"headers", "value"}),
        (2000, 9, 9, {"headers", "value", "key"}),
    ],
)
async def test_what_does_not_fit_is_left_out_and_the_letter_says_so(
    key_bytes: int, value_bytes: int, header_bytes: int, omitted: set[str]
) -> None:
    headers = (("other", b"h" * header_bytes), ("content-type", b"application/json"))
    record = SourceRecord("applications", 3, 14, b"k" * key_bytes, b"v" * value_bytes, headers)
    producer = NarrowProducer(1000)

    await put(producer, record)

    (sent,) = producer.sent
    names = dict(sent["headers"])
    assert {
        part for part in ("headers", "value", "key") if f"scorer.error.{part}_omitted" in names
    } == omitted
    assert ("other" in names) == ("headers" not in omitted)
    assert ("content-type" in names) == ("key" not in omitted)
    assert (sent["value"] is None) == ("value" in omitted)
    assert (names["scorer.error.partition"], names["scorer.error.offset"]) == (b"3", b"14")


async def test_what_could_not_be_decoded_is_kept_as_it_lay_there_with_its_offsets() -> None:
    value = DamagedBytes(b"\x00\x01")
    value.damage = Damage("undecodable_batch", "its bytes are damaged", 12, 14)
    producer = NarrowProducer(1000)

    metrics = await put(producer, SourceRecord("recruiting.job.posted.v1", 3, 14, None, value))

    (sent,) = producer.sent
    names = dict(sent["headers"])
    assert (type(sent["value"]), sent["value"]) == (bytes, b"\x00\x01")
    assert names["scorer.error.is_raw"] == b"true"
    assert (names["scorer.error.first_offset"], names["scorer.error.last_offset"]) == (b"12", b"14")
    labels = {"topic": "recruiting.job.posted.v1"}
    assert metrics.registry.get_sample_value("scoring_undecodable_batches_total", labels) == 1


async def test_an_error_that_no_retry_cures_is_raised() -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await put(FlakyProducer(TopicAuthorizationFailedError()))
