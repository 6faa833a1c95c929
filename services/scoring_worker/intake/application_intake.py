"""From the applications topic into the processor, and acknowledgements back in order."""

from typing import Any

import faust

from services.contracts.topics import APPLICATION_SUBMITTED
from services.events.wire.event_codec import SourceRecord
from services.scoring_worker.application_processing import ApplicationProcessor
from services.scoring_worker.intake.delivery_check import DeliveryCheck
from services.scoring_worker.intake.faust_app import source_record
from services.scoring_worker.intake.offset_tracker import OffsetTracker


class Acknowledgements:
    """Acknowledges events of the applications topic in the order of their offsets."""

    def __init__(self) -> None:
        self.offsets: OffsetTracker[faust.EventT] = OffsetTracker()

    def acknowledge(self, record: SourceRecord) -> None:
        """Acknowledges what has become safe to commit, now that this record needs no more work."""
        for event in self.offsets.finish(record.partition, record.offset):
            event.ack()


class ApplicationIntake:
    """Hands the applications topic to the processor.

    Args:
        delivery_check: whether records were left out.
        acknowledgements: of what the processor is done with.
    """

    def __init__(
        self,
        app: faust.App,
        delivery_check: DeliveryCheck,
        acknowledgements: Acknowledgements,
        processor: ApplicationProcessor,
    ) -> None:
        self._app = app
        self._delivery_check = delivery_check
        self._offsets = acknowledgements.offsets
        self._processor = processor

    async def on_event(self, event: faust.EventT) -> None:
        """Hands one application to the processor; returns when there is room for the next.

        Raises:
            RecordsSkipped: records before this one were never delivered.
        """
        record = source_record(event)
        # The event may have to wait long for those before it; it does so without the resume.
        event.value = event.message.value = None
        await self._check_jump(record)
        # A rebalance during the check: whoever owns the partition now gets the record again.
        if not self._is_current(event):
            return
        if self._offsets.take(record.partition, record.offset, event):
            await self._processor.take(record)

    async def on_revoked(self, revoked: Any) -> None:
        """Lets go of partitions; returns when nothing of them is being published any more."""
        partitions = {each.partition for each in revoked if each.topic == APPLICATION_SUBMITTED}
        self._offsets.forget(partitions)
        await self._processor.let_go(partitions)

    async def _check_jump(self, record: SourceRecord) -> None:
        expected = self._offsets.next_offset(record.partition)
        if expected is None:
            expected = await self._delivery_check.committed_offset(record.partition)
        if record.offset > expected:
            await self._delivery_check.check(record.partition, expected, record.offset)

    def _is_current(self, event: faust.EventT) -> bool:
        return bool(event.message.generation_id == self._app.consumer_generation_id)
