"""Connections to Kafka from the settings: clients, producers and topics."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NoError,
    TopicAlreadyExistsError,
    for_code,
)
from aiokafka.protocol.transaction import InitProducerIdRequest

from services.contracts.errors import BrokerUnreachable, SettingsInvalid
from services.contracts.topics import TOPICS, TopicSpec
from services.events.wire.batch_reading import read_past_damage
from services.process.logging import get_logger
from services.process.settings import KafkaSettings
from services.process.shutdown import drain

log = get_logger(__name__)

Headers = Sequence[tuple[str, bytes]]

# Room for the largest record that Kafka takes by default (1 MiB) plus the headers of a dead letter.
MAX_RECORD_BYTES = 2 * 1024**2
MILLISECONDS_PER_DAY = 86_400_000
PUBLISH_PAUSE_SECONDS = 0.2
MAX_PUBLISH_PAUSE_SECONDS = 5.0
CONNECT_PAUSE_SECONDS = 1.0
FLUSH_SECONDS = 3.0
PROBE_TRANSACTION_MILLISECONDS = 1000
SETTLE_SECONDS = 1.0


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """Returns what every aiokafka client of this process is constructed with.

    Raises:
        SettingsInvalid: a certificate file cannot be read.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = settings.kafka_sasl_password.get_secret_value()
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = ssl_context(settings)
    return options


def ssl_context(settings: KafkaSettings) -> ssl.SSLContext:
    """Returns the TLS context; without a CA file the system's authorities are trusted.

    Raises:
        SettingsInvalid: a file is missing or holds no certificate or key.
    """
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ssl_cafile or None)
        if settings.kafka_ssl_certfile:
            context.load_cert_chain(settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile or None)
    except OSError as error:  # ssl.SSLError is an OSError
        names = "SCORER_KAFKA_SSL_CAFILE, SCORER_KAFKA_SSL_CERTFILE or SCORER_KAFKA_SSL_KEYFILE"
        raise SettingsInvalid(f"{names}: {error.strerror or error}") from error
    return context


async def settled(opening: Coroutine[Any, Any, Any]) -> None:
    """Awaits the start of an aiokafka client; cancelled amid it, waits a moment more.

    aiokafka forgets a connection that it is just opening when that is cut short, and nobody closes it then.
    """
    task = asyncio.ensure_future(opening)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=SETTLE_SECONDS)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


async def wait_for_kafka(settings: KafkaSettings) -> None:
    """Returns once a broker answers, however long that takes; says so while it does not."""
    while True:
        client = AIOKafkaClient(**client_options(settings))
        try:
            await settled(client.bootstrap())
        except KafkaError as error:
            log.warning(
                "Kafka cannot be reached, trying again",
                bootstrap_servers=settings.kafka_bootstrap_servers,
                error=type(error).__name__,
            )
            await asyncio.sleep(CONNECT_PAUSE_SECONDS)
        else:
            return
        finally:
            await client.close()


@asynccontextmanager
async def open_consumer(
    settings: KafkaSettings, *topics: str, **options: Any
) -> AsyncIterator[AIOKafkaConsumer]:
    """Yields a started consumer, closed however its start or its use ends; it reads past damaged batches.

    Args:
        options: of ``AIOKafkaConsumer``; left alone it reads from the beginning and commits nothing.

    Raises:
        KafkaError: no broker answers.
    """
    chosen = {
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
        **client_options(settings),
        **options,
    }
    read_past_damage()
    consumer = AIOKafkaConsumer(*topics, **chosen)
    try:
        await settled(consumer.start())
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def open_admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yields a started administration client, closed however its start or its use ends.

    Raises:
        KafkaError: no broker answers.
    """
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await settled(admin.start())
        yield admin
    finally:
        await admin.close()


async def start_producer(settings: KafkaSettings) -> AIOKafkaProducer:
    """Returns a started producer that waits for all replicas.

    It is idempotent wherever the broker can be asked for a producer id; the development broker
    cannot, and a retry there may write a record twice.
    """
    producer = AIOKafkaProducer(
        **client_options(settings),
        acks="all",
        enable_idempotence=await can_be_idempotent(settings),
        max_request_size=MAX_RECORD_BYTES,
    )
    try:
        await settled(producer.start())
    except BaseException:
        await producer.stop()
        raise
    return producer


@contextmanager
def naming_the_broker(settings: KafkaSettings, consequence: str = "") -> Iterator[None]:
    """Turns what aiokafka raises for a broker that does not answer into an error that names it.

    Args:
        settings: where it should be.
        consequence: what follows from that, behind the address.

    Raises:
        BrokerUnreachable: no broker answers at the address of the settings.
    """
    try:
        yield
    except KafkaConnectionError as error:
        raise BrokerUnreachable(
            f"no Kafka broker answers at {settings.kafka_bootstrap_servers} (SCORER_KAFKA_BOOTSTRAP_SERVERS)"
            f"{consequence}"
        ) from error


@asynccontextmanager
async def connected_producer(settings: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    """Yields a started producer for the length of a block.

    Raises:
        BrokerUnreachable: no broker answers at the address of the settings.
    """
    with naming_the_broker(settings):
        producer = await start_producer(settings)
    try:
        yield producer
    finally:
        await producer.stop()


async def stop_producer(producer: AIOKafkaProducer) -> None:
    """Sends what is pending and ends the connection, but does not wait for a broker that is away.

    What matters was waited for before: ``publish`` returns when a record is there.
    """
    await drain(producer.stop(), FLUSH_SECONDS)


async def can_be_idempotent(settings: KafkaSettings) -> bool:
    """Returns whether the broker hands out producer ids.

    Raises:
        KafkaConnectionError: no broker answers at all.
    """
    client = AIOKafkaClient(**client_options(settings))
    try:
        await settled(client.bootstrap())
        try:
            answer = await client.send(
                client.get_random_node(),
                InitProducerIdRequest(None, PROBE_TRANSACTION_MILLISECONDS),
            )
        except KafkaError as error:
            log.info("broker has no producer ids", error=type(error).__name__)
            return False
    finally:
        await client.close()
    error_type: type[KafkaError] = for_code(answer.error_code)
    # A broker that is still choosing its coordinator says so with a retriable error: it has ids.
    return error_type is NoError or bool(getattr(error_type, "retriable", False))


async def publish(
    producer: AIOKafkaProducer,
    topic: str,
    *,
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
    timestamp_ms: int | None = None,
) -> None:
    """Writes one record and returns when the broker has acknowledged it; tries for ever.

    Raises:
        KafkaError: an error that no retry can cure, such as a missing permission.
    """
    pause = PUBLISH_PAUSE_SECONDS
    while True:
        try:
            await producer.send_and_wait(
                topic, value=value, key=key, headers=list(headers), timestamp_ms=timestamp_ms
            )
        except KafkaError as error:
            if not is_retriable(error):
                raise
            log.warning("publishing failed, trying again", topic=topic, error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_PUBLISH_PAUSE_SECONDS)
        else:
            return


def is_retriable(error: KafkaError) -> bool:
    """Returns whether trying again can help."""
    # aiokafka calls its own timeouts final; for us Kafka being away is a reason to wait.
    return bool(error.retriable) or isinstance(error, KafkaTimeoutError)


async def create_topics(settings: KafkaSettings) -> None:
    """Creates the topics that are missing; those that exist stay as they are.

    Raises:
        KafkaError: the broker refused.
    """
    async with open_admin(settings) as admin:
        existing = set(await admin.list_topics())
        missing = [_new_topic(spec, settings) for spec in TOPICS if spec.name not in existing]
        if missing:
            _raise_unless_created(await admin.create_topics(missing))


def _new_topic(spec: TopicSpec, settings: KafkaSettings) -> NewTopic:
    configs = {"cleanup.policy": spec.cleanup_policy}
    if spec.retention_days is not None:
        configs["retention.ms"] = str(spec.retention_days * MILLISECONDS_PER_DAY)
    if spec.name.endswith(".dlq"):
        configs["max.message.bytes"] = str(MAX_RECORD_BYTES)
    return NewTopic(
        name=spec.name,
        num_partitions=settings.kafka_num_partitions if spec.is_partitioned else 1,
        replication_factor=settings.kafka_replication_factor,
        topic_configs=configs,
    )


def _raise_unless_created(answer: Any) -> None:
    for name, code, *_ in answer.topic_errors:
        error_type: type[KafkaError] = for_code(code)
        # Another process may have created it between the question and the request.
        if error_type not in (NoError, TopicAlreadyExistsError):
            raise error_type(f"topic {name} cannot be created")
