"""Publishing, activating and rolling back: one way for the command, the gRPC service and the trainer.

The store remembers the order of activations; the compacted topic tells the scorers. Without a broker nothing
is changed: a version that nobody was told of must not be listed as the active one. With one the store is
written first, and written back where the broker refuses the announcement: a crash in between leaves a scorer
on the older adapter, and repeating the call heals it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from services.adapters.store import AdapterStore, StoredAdapter
from services.contracts.errors import BrokerUnreachable, ScorerError
from services.contracts.topics import ADAPTER_PUBLISHED
from services.events.kafka_client import connected_producer, create_topics, naming_the_broker, publish
from services.events.kafka_types import KafkaError, Producer
from services.events.wire.event_codec import cloud_event_headers, encode_event
from services.pb.scoring.v1.events_pb2 import AdapterPublished
from services.process.settings import RolloutSettings

_Stored = TypeVar("_Stored", bound=StoredAdapter | None)


def open_store(settings: RolloutSettings) -> AdapterStore:
    """Opens the store of the settings.

    Raises:
        AdapterStoreUnreachable: there is no such file system.
    """
    url = settings.adapter_store
    return AdapterStore(str(Path(url).expanduser()) if url.startswith("~") else url)


class AdapterAdministration:
    """Changes which adapter the scorers use.

    Args:
        settings: where store and Kafka are, and the name that is announced.
    """

    def __init__(self, settings: RolloutSettings) -> None:
        self._settings = settings

    async def versions(self) -> list[StoredAdapter]:
        """Returns the stored versions, newest first."""
        return await asyncio.to_thread(lambda: open_store(self._settings).versions())

    async def active_version(self) -> str | None:
        """Returns the version that was activated last, None for the adapter that the scorers start with."""
        activations = await asyncio.to_thread(lambda: open_store(self._settings).activations())
        return activations[-1] if activations else None

    async def publish(self, folder: Path, metrics: dict[str, float] | None = None) -> StoredAdapter:
        """Stores an adapter's folder as a version and activates it.

        Raises:
            AdapterIncompatible: the folder is no whole adapter.
            AdapterStoreUnreachable: the store cannot be written.
            BrokerUnreachable: no broker answers, and nothing was stored; or it refuses, and nothing was
                activated.
        """
        async with self._connected() as producer:
            stored = await asyncio.to_thread(lambda: open_store(self._settings).publish(folder, metrics))
            return await self._activate(stored.version, producer)

    async def activate(self, version: str) -> StoredAdapter:
        """Announces a stored version, which every scorer then loads.

        Raises:
            AdapterNotFound: the store has no such version.
            AdapterStoreUnreachable: the store cannot be reached.
            BrokerUnreachable: no broker answers, or it refuses; nothing was changed.
        """
        async with self._connected() as producer:
            return await self._activate(version, producer)

    async def _activate(self, version: str, producer: Producer) -> StoredAdapter:
        def note(store: AdapterStore) -> StoredAdapter:
            stored = store.find(version)
            store.note_activation(version)
            return stored

        async with self._noted(note) as stored:
            await self._announce(stored, producer)
        return stored

    async def rollback(self) -> StoredAdapter | None:
        """Goes back to the version that was active before.

        Returns:
            What is active again, None for the adapter that the scorers start with.

        Raises:
            AdapterNotFound: nothing was activated.
            AdapterStoreUnreachable: the store cannot be reached.
            BrokerUnreachable: no broker answers, or it refuses; nothing was changed.
        """

        def note(store: AdapterStore) -> StoredAdapter | None:
            version = store.note_rollback()
            return store.find(version) if version is not None else None

        async with self._connected() as producer, self._noted(note) as stored:
            await self._announce(stored, producer)
        return stored

    async def repeat_announcement(self) -> StoredAdapter | None:
        """Announces the active version again, for a broker that forgot it or a crash before it was told.

        Scorers that have it already change nothing.

        Returns:
            What is active, None where nothing was ever activated, which is not announced.

        Raises:
            AdapterNotFound: the store lacks the active version.
            AdapterStoreUnreachable: the store cannot be reached.
            BrokerUnreachable: it could not be announced.
        """

        def find() -> StoredAdapter | None:
            store = open_store(self._settings)
            activations = store.activations()
            return store.find(activations[-1]) if activations else None

        stored = await asyncio.to_thread(find)
        if stored is not None:
            async with self._connected() as producer:
                await self._announce(stored, producer)
        return stored

    @asynccontextmanager
    async def _noted(self, note: Callable[[AdapterStore], _Stored]) -> AsyncIterator[_Stored]:
        """Changes the store around an announcement, and changes it back where there is none."""
        store = await asyncio.to_thread(open_store, self._settings)
        activations = await asyncio.to_thread(store.activations)
        try:
            yield await asyncio.to_thread(note, store)
        except (KafkaError, ScorerError) as error:
            if await asyncio.to_thread(store.activations) != activations:
                await asyncio.to_thread(store.set_activations, activations)
            if isinstance(error, ScorerError):
                raise
            raise BrokerUnreachable(
                f"the Kafka broker refuses the announcement ({type(error).__name__}); no scorer was told, "
                "and which version is active is as it was"
            ) from error

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Producer]:
        with naming_the_broker(self._settings, "; nothing was changed"):
            await create_topics(self._settings)
        async with connected_producer(self._settings) as producer:
            yield producer

    async def _announce(self, stored: StoredAdapter | None, producer: Producer) -> None:
        name = self._settings.adapter_name
        await publish(
            producer,
            ADAPTER_PUBLISHED,
            key=name.encode(),
            # An empty value is the compacted topic's deletion: nothing is announced any more.
            value=encode_event(announcement(name, stored)) if stored is not None else None,
            headers=cloud_event_headers(ADAPTER_PUBLISHED),
        )


def announcement(name: str, stored: StoredAdapter) -> AdapterPublished:
    """Returns the event that announces a stored version under a name."""
    event = AdapterPublished(
        name=name,
        version=stored.version,
        store_uri=stored.uri,
        digest=stored.manifest_digest,
        metrics=stored.metrics,
        base_model=stored.base_model,
        prompt_version=stored.prompt_version,
    )
    event.publish_time.FromDatetime(stored.published_at)
    return event
