"""What is counted of records that cannot be read, the same in every process that reads Kafka."""

from prometheus_client import CollectorRegistry, Counter

from services.contracts.outcomes import DeadLetterKind, InputFault
from services.contracts.topics import ADAPTER_PUBLISHED, APPLICATION_SUBMITTED, JOB_POSTED, SCORE_LABELLED
from services.process.metrics.series import touched

READ_TOPICS = (JOB_POSTED, APPLICATION_SUBMITTED, SCORE_LABELLED, ADAPTER_PUBLISHED)


class DeadLetterCounter:
    """Counts by kind of error; every kind exists at zero, so that a rate over it is defined from the start.

    Args:
        registry: where it is collected.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        total = Counter(
            "scoring_dead_letters_total",
            "Records that became dead letters because they cannot be processed.",
            ["error_kind"],
            registry=registry,
        )
        self._total = touched(total, DeadLetterKind)
        undecodable = Counter(
            "scoring_undecodable_batches_total",
            "Batches and records that could not be decoded (damaged, unknown codec) and were passed over.",
            ["topic"],
            registry=registry,
        )
        self._undecodable = touched(undecodable, READ_TOPICS)
        unknown_fields = Counter(
            "scoring_unknown_fields_total",
            "Fields of records that this version does not know and has read past.",
            ["topic"],
            registry=registry,
        )
        self._unknown_fields = touched(unknown_fields, READ_TOPICS)

    def count_dead_letter(self, error_kind: DeadLetterKind | InputFault) -> None:
        """Counts one dead letter; what is wrong with the texts themselves counts as invalid input."""
        is_of_texts = isinstance(error_kind, InputFault)
        self._total.labels(DeadLetterKind.INVALID_INPUT if is_of_texts else error_kind).inc()

    def count_undecodable(self, topic: str) -> None:
        """Counts one stretch of a topic that could not be decoded, dead-lettered or not."""
        if topic in READ_TOPICS:
            self._undecodable.labels(topic).inc()

    def count_unknown_fields(self, topic: str, num_fields: int) -> None:
        """Counts fields of one record that were read past."""
        if topic in READ_TOPICS:
            self._unknown_fields.labels(topic).inc(num_fields)
