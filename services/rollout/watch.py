"""Follows the adapters topic and makes the scorer change to what is announced.

The topic is compacted and read from its beginning, so a scorer that starts late finds the announced version.
Nothing that comes from it can stop the scoring: what does not fit is refused, counted and logged.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from services.adapters.adapter_folder import read_adapter
from services.adapters.canaries import CANARIES_FILE, read_canaries
from services.adapters.default_adapter import adapter_folder
from services.contracts.adapters import AdapterHost, Canary
from services.contracts.errors import (
    AdapterIncompatible,
    AdapterStoreUnreachable,
    EngineClosed,
    InvalidInput,
)
from services.contracts.outcomes import AdapterChange
from services.contracts.reading import PROMPT_VERSION
from services.contracts.scoring import BASE_ADAPTER_DIGEST
from services.contracts.topics import ADAPTER_PUBLISHED
from services.events.kafka_types import Consumer, ConsumerRecord
from services.events.topic_follower import Batches, TopicFollower
from services.events.wire.batch_reading import damage_of
from services.events.wire.event_codec import source_record
from services.events.wire.event_reading import EventReader
from services.pb.scoring.v1.events_pb2 import AdapterPublished
from services.process.logging import get_logger
from services.process.metrics.scoring import ScoringMetrics
from services.process.settings import FollowerSettings
from services.rollout.administration import open_store

log = get_logger(__name__)

RETRY_SECONDS = 5.0


class AdapterWatch:
    """Keeps a scorer on the announced adapter.

    Args:
        settings: which announcements, and what is served while there is none.
        metrics: count what was activated and what was refused.
    """

    def __init__(self, settings: FollowerSettings, host: AdapterHost, metrics: ScoringMetrics) -> None:
        self._settings = settings
        self._follower = TopicFollower(settings, [ADAPTER_PUBLISHED], self._on_poll)
        self._host = host
        self._metrics = metrics
        self._reader = EventReader(settings.strict_fields, metrics.dead_letters)
        # The latest record of our name that has not been dealt with.
        self._wanted: ConsumerRecord[bytes, bytes] | None = None

    async def follow(self) -> None:
        """Follows until cancelled; reconnects by itself."""
        await self._follower.follow()

    async def _on_poll(self, _consumer: Consumer, batches: Batches) -> None:
        records = [record for batch in batches.values() for record in batch]
        self._log_damage(records)
        name = self._settings.adapter_name.encode()
        ours = [record for record in records if record.key == name]
        if ours:
            self._wanted = ours[-1]
        elif self._wanted is not None:
            # Only once nothing newer came: the versions in between are history.
            await self._apply(self._wanted)

    def _log_damage(self, records: "list[ConsumerRecord[bytes, bytes]]") -> None:
        for record in records:
            damage = damage_of(record.value)
            if damage is not None:
                # It may have been an announcement of ours: nobody can tell.
                self._metrics.dead_letters.count_undecodable(ADAPTER_PUBLISHED)
                log.error("adapter announcements cannot be decoded", at=damage.offsets, reason=damage.reason)

    async def _apply(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        version = ""
        try:
            if record.value is None:
                await self._switch(adapter_folder(self._settings), "")
            else:
                event = self._reader.read(source_record(record), AdapterPublished)
                version = event.version
                await self._switch(await asyncio.to_thread(self._fetch, event), version)
        except AdapterStoreUnreachable as error:
            log.warning("the adapter store is away, trying again", version=version, error=str(error))
            await asyncio.sleep(RETRY_SECONDS)
            return
        except EngineClosed:
            return  # the process is ending
        except (AdapterIncompatible, InvalidInput) as error:
            self._metrics.adapter_switches.labels(AdapterChange.REJECTED).inc()
            log.error("adapter refused, the active one stays", version=version, reason=str(error))
        except Exception as error:
            # A fault of ours, or memory that ran out: serving goes on with what there is.
            self._metrics.adapter_switches.labels(AdapterChange.REJECTED).inc()
            log.error("adapter not activated", version=version, error=type(error).__name__)
        self._wanted = None

    def _fetch(self, event: AdapterPublished) -> Path:
        if event.prompt_version != PROMPT_VERSION:
            raise AdapterIncompatible(
                f"adapter {event.version}: trained with prompt version {event.prompt_version}; "
                f"this scorer has {PROMPT_VERSION}"
            )
        cache_dir = self._settings.model_cache_dir / "adapters"
        return open_store(self._settings).fetch(event.store_uri, event.digest, cache_dir)

    async def _switch(self, folder: Path | None, version: str) -> None:
        digest = BASE_ADAPTER_DIGEST
        canaries: tuple[Canary, ...] = ()
        if folder is not None:
            digest = (await asyncio.to_thread(read_adapter, folder)).digest
            # What is published needs canaries; what the settings name may be of any origin.
            if version or (folder / CANARIES_FILE).is_file():
                canaries = read_canaries(folder)
        if digest == self._host.active_adapter_digest:
            return
        report = await self._host.switch_adapter(folder, version, canaries)
        self._metrics.adapter_switches.labels(AdapterChange.OK).inc()
        self._metrics.adapter_switch_pause_seconds.observe(report.pause_seconds)
        log.info(
            "adapter changed",
            version=version,
            digest=report.adapter_digest[:12],
            previous=report.previous_digest[:12],
            pause_ms=round(report.pause_seconds * 1000, 3),
            max_canary_error=round(report.max_canary_error, 2),
        )


@asynccontextmanager
async def following_adapters(
    settings: FollowerSettings, host: AdapterHost, metrics: ScoringMetrics
) -> AsyncIterator[Callable[[], bool]]:
    """Keeps a scorer on the announced adapter for the length of a block.

    Yields:
        Tells whether it is still being followed: a check for /readyz.
    """
    task = asyncio.create_task(AdapterWatch(settings, host, metrics).follow())
    task.add_done_callback(_log_end)
    try:
        yield lambda: not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _log_end(task: "asyncio.Task[None]") -> None:
    if not task.cancelling():
        error = None if task.cancelled() else task.exception()
        log.critical("announced adapters are no longer followed", exc_info=error)
