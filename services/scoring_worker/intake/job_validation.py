"""Puts unreadable job records aside, once a consumer group and not once a worker and start."""

import faust

from services.contracts.errors import InvalidInput
from services.events.dead_letters import DeadLetters
from services.events.wire.event_reading import EventReader
from services.events.wire.job_records import read_posted_job
from services.scoring_worker.intake.faust_app import source_record


class JobValidator:
    """Reads the jobs topic in the worker's group, beside the view that each worker has for itself."""

    def __init__(self, dead_letters: DeadLetters, reader: EventReader) -> None:
        self._dead_letters = dead_letters
        self._reader = reader

    async def on_event(self, event: faust.EventT) -> None:
        """Checks one job record; acknowledged when it is good or its dead letter is written."""
        record = source_record(event)
        try:
            read_posted_job(record, self._reader)
        except InvalidInput as error:
            await self._dead_letters.put(record, error.kind, str(error))
        event.ack()
