"""What nobody can decode stands between good records on a real broker: every reader goes on behind it."""

import asyncio
import json
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBase
from prometheus_client import CollectorRegistry

from services.contracts.topics import (
    ADAPTER_PUBLISHED,
    APPLICATION_SUBMITTED,
    JOB_POSTED,
    SCORE_LABELLED,
    dead_letter_topic,
)
from services.events.kafka_client import MAX_RECORD_BYTES, Headers, client_options, open_consumer
from services.process.metrics.scoring import ScoringMetrics
from services.process.settings import Settings
from services.rollout.watch import AdapterWatch, following_adapters
from tests.doubles.files.record_batches import (
    CODECS,
    Row,
    batch,
    rows,
    signed,
    with_bad_header_name,
    with_flipped_byte,
)
from tests.doubles.kafka_desk import KafkaDesk, Record, kind_of
from tests.doubles.trainer import TrainerDesk, running_trainer, trainer_settings
from tests.doubles.waiting import until

PARTITION = 0


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"kafka_num_partitions": 1})


@pytest.fixture
async def client(settings: Settings, desk: KafkaDesk) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(**client_options(settings))
    await client.bootstrap()
    yield client
    await client.close()


async def send_raw(client: AIOKafkaClient, topic: str, built: bytearray) -> None:
    request = ProduceRequest(None, -1, 5000, [(topic, [(PARTITION, bytes(built))])])
    answer = await client.send(client.get_random_node(), request)
    assert answer.topics[0][1][0][1] == 0, "the broker took it"


async def letters(settings: Settings, topic: str, count: int) -> list[Record]:
    found: list[Record] = []
    async with asyncio.timeout(20), open_consumer(settings, dead_letter_topic(topic)) as consumer:
        while len(found) < count:
            batches = await consumer.getmany(timeout_ms=200)
            found += [record for records in batches.values() for record in records]
    return found


def headers_of(record: Record) -> dict[str, bytes]:
    return {name.removeprefix("scorer.error."): value for name, value in record.headers}


def badly_compressed() -> bytearray:
    built = batch(rows(3), "gzip")
    built[DefaultRecordBase.HEADER_STRUCT.size :] = b"garbage" * 5
    struct.pack_into(">i", built, 8, len(built) - 12)
    return signed(built)


def application(desk: KafkaDesk, name: str, headers: Headers = ()) -> Row:
    return desk.name("a").encode(), desk.application(name, "a"), headers


def label(desk: KafkaDesk, name: str) -> bytes:
    texts = {"resume": "R", "job_description": "J"}
    return json.dumps({"application_id": desk.name(name), "rater": "r", "score": 50, **texts}).encode()


@pytest.mark.parametrize("codec", CODECS)
async def test_records_of_every_codec_are_scored(settings: Settings, desk: KafkaDesk, codec: str) -> None:
    await desk.post_job("a")
    await desk.flush()
    options = client_options(settings) | {"enable_idempotence": False}
    producer = AIOKafkaProducer(**options, compression_type=None if codec == "none" else codec)
    await producer.start()
    resume = "Knows Kafka. " * 50  # worth the compression
    await producer.send_and_wait(APPLICATION_SUBMITTED, desk.application("x", "a", resume))
    await producer.stop()

    async with desk.worker():
        assert list(await desk.scores(1)) == ["x"]


async def test_applications_around_what_cannot_be_decoded_are_scored_and_it_is_put_aside(
    settings: Settings, desk: KafkaDesk, client: AIOKafkaClient
) -> None:
    await desk.post_job("a")
    await desk.apply("first", "a")
    await desk.flush()
    damaged = with_flipped_byte(batch(rows(3)))
    await send_raw(client, APPLICATION_SUBMITTED, damaged)  # offsets 1 to 3
    await send_raw(client, APPLICATION_SUBMITTED, badly_compressed())  # 4 to 6
    await desk.apply("second", "a")

    async with desk.worker() as metrics:
        assert set(await desk.scores(2)) == {"first", "second"}
        sample = metrics.registry.get_sample_value
        await until(lambda: sample("scoring_committed_offset", {"partition": "0"}) == 8)
    # What was passed over is done: the next worker does not see it again.
    await send_raw(client, APPLICATION_SUBMITTED, with_flipped_byte(batch(rows(2))))  # 8 to 9
    await desk.apply("third", "a")
    async with desk.worker():
        assert set(await desk.scores(3)) == {"first", "second", "third"}
        found = await letters(settings, APPLICATION_SUBMITTED, 3)

    assert [(headers_of(each)["first_offset"], headers_of(each)["last_offset"]) for each in found] == [
        (b"1", b"3"),
        (b"4", b"6"),
        (b"8", b"9"),
    ]
    assert {kind_of(each) for each in found} == {"undecodable_batch"}
    assert found[0].value is not None
    assert found[0].value[17:] == bytes(damaged[17:])  # the broker gave it its offsets and nothing else
    labels = {"topic": APPLICATION_SUBMITTED}
    assert metrics.registry.get_sample_value("scoring_undecodable_batches_total", labels) == 2


async def test_an_unreadable_record_with_headers_too_large_for_a_letter_ends_no_worker(
    settings: Settings, desk: KafkaDesk, client: AIOKafkaClient
) -> None:
    await desk.post_job("a")
    await desk.flush()
    large = [("large", b"h" * (MAX_RECORD_BYTES + 1)), ("ce_source", b"/ats")]
    await send_raw(client, APPLICATION_SUBMITTED, batch([(desk.name("a").encode(), b"no JSON", large)]))
    await desk.apply("x", "a")

    async with desk.worker():
        assert list(await desk.scores(1)) == ["x"]
        (letter,) = await desk.dead_letters(1)

    assert letter.value == b"no JSON"
    names = headers_of(letter)
    assert (names["kind"], names["headers_omitted"], names["ce_source"]) == (b"bad_json", b"true", b"/ats")
    assert "large" not in names


async def test_a_header_name_that_is_no_text_ends_no_reader(
    settings: Settings, desk: KafkaDesk, client: AIOKafkaClient
) -> None:
    job = json.dumps({"job_id": desk.name("a"), "title": "", "description": "Build"}).encode()
    for topic, value in ((JOB_POSTED, job), (APPLICATION_SUBMITTED, desk.application("x", "a"))):
        row = (desk.name("a").encode(), value, [("name", b"1")])
        await send_raw(client, topic, with_bad_header_name(batch([row]), b"name"))

    async with desk.worker():
        assert list(await desk.scores(1)) == ["x"]


async def test_a_job_among_damaged_ones_is_known_and_they_are_put_aside_once(
    settings: Settings, desk: KafkaDesk, client: AIOKafkaClient
) -> None:
    await send_raw(client, JOB_POSTED, with_flipped_byte(batch(rows(2))))
    await desk.post_job("a")
    await desk.apply("x", "a")
    await desk.flush()

    async with desk.worker() as metrics:
        assert list(await desk.scores(1)) == ["x"]
        (letter,) = await letters(settings, JOB_POSTED, 1)

    assert kind_of(letter) == "undecodable_batch"
    assert metrics.registry.get_sample_value("scoring_job_records_skipped_total") == 1


async def test_a_label_behind_damage_is_stored_and_the_damage_put_aside(
    settings: Settings, desk: KafkaDesk, client: AIOKafkaClient, tmp_path: Path
) -> None:
    own = trainer_settings(settings, tmp_path)
    trainer = TrainerDesk(own, desk)
    for topic in (JOB_POSTED, APPLICATION_SUBMITTED, SCORE_LABELLED):
        await send_raw(client, topic, with_flipped_byte(batch(rows(2))))
    row = (desk.name("x").encode(), label(desk, "x"), [("name", b"1")])
    await send_raw(client, SCORE_LABELLED, with_bad_header_name(batch([row]), b"name"))

    async with running_trainer(own) as metrics:
        await trainer.counts(lambda counts: counts.num_usable == 1)
        (letter,) = await letters(settings, SCORE_LABELLED, 1)
        for topic in (JOB_POSTED, APPLICATION_SUBMITTED, SCORE_LABELLED):
            value = metrics.registry.get_sample_value("scoring_undecodable_batches_total", {"topic": topic})
            assert value == 1
    trainer.close()

    assert kind_of(letter) == "undecodable_batch"
    assert headers_of(letter)["last_offset"] == b"1"


async def test_a_label_without_a_time_of_its_own_is_as_old_as_its_arrival(
    settings: Settings, desk: KafkaDesk, client: AIOKafkaClient, tmp_path: Path
) -> None:
    own = trainer_settings(settings, tmp_path)
    trainer = TrainerDesk(own, desk)
    row = (desk.name("x").encode(), label(desk, "x"), ())
    await send_raw(client, SCORE_LABELLED, batch([row], timestamp_ms=-1))

    async with running_trainer(own):
        await trainer.counts(lambda counts: counts.num_usable == 1)
    trainer.labels.remove_old(time.time(), own.trainer_retention_days, own.trainer_label_retention_days)

    assert trainer.labels.counts().num_usable == 1
    trainer.close()


class Host:
    """Notes to what it was told to change."""

    active_adapter_digest = "none of ours"

    def __init__(self) -> None:
        self.num_switches = 0

    async def switch_adapter(self, *_: object) -> None:
        self.num_switches += 1
        raise ZeroDivisionError  # counted as rejected; what is loaded is no part of this test


async def test_an_announcement_behind_damage_reaches_the_scorer(
    settings: Settings, desk: KafkaDesk, client: AIOKafkaClient
) -> None:
    own = settings.model_copy(update={"adapter": "none", "adapter_name": "ours"})
    metrics, host = ScoringMetrics(CollectorRegistry()), Host()
    async with following_adapters(own, host, metrics) as is_following:  # type: ignore[arg-type]
        await send_raw(client, ADAPTER_PUBLISHED, with_flipped_byte(batch(rows(2))))
        row = (b"ours", None, [("name", b"1")])  # back to the adapter of the settings
        await send_raw(client, ADAPTER_PUBLISHED, with_bad_header_name(batch([row]), b"name"))
        await until(lambda: host.num_switches == 1)

        assert is_following()
    labels = {"topic": ADAPTER_PUBLISHED}
    assert metrics.registry.get_sample_value("scoring_undecodable_batches_total", labels) == 1


async def test_a_watch_that_ends_is_told_of_to_readiness(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def end(_: AdapterWatch) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(AdapterWatch, "follow", end)
    metrics = ScoringMetrics(CollectorRegistry())
    async with following_adapters(settings, Host(), metrics) as is_following:  # type: ignore[arg-type]
        await until(lambda: not is_following())
