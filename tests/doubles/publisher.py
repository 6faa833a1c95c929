"""A publisher of labels without Kafka."""

from services.pb.scoring.v1.events_pb2 import ScoreLabelled
from services.scoring_api.answers.call_errors import LabelNotPublished
from services.scoring_api.calls.label_publisher import RecordPosition


class FakePublisher:
    """Remembers labels, or refuses them while ``is_down``."""

    def __init__(self) -> None:
        self.labels: list[ScoreLabelled] = []
        self.is_down = False

    async def publish(self, label: ScoreLabelled) -> RecordPosition:
        if self.is_down:
            raise LabelNotPublished("Kafka did not take the label")
        self.labels.append(label)
        return RecordPosition(partition=3, offset=len(self.labels) + 40)
