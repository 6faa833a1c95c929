"""The port through which people's labels leave the API."""

from dataclasses import dataclass
from typing import Protocol

from services.pb.scoring.v1.events_pb2 import ScoreLabelled


@dataclass(frozen=True, slots=True)
class RecordPosition:
    """Where a record was written.

    Attributes:
        partition: of its topic.
        offset: in that partition.
    """

    partition: int
    offset: int


class LabelPublisher(Protocol):
    """Writes labels to the feedback topic."""

    async def publish(self, label: ScoreLabelled) -> RecordPosition:
        """Returns where the label was written, once the broker has confirmed it.

        Raises:
            LabelNotPublished: the label may or may not have been written; the same label may be sent again.
        """
