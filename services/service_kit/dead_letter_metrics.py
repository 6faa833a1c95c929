"""What is counted of records that cannot be read, the same in every process that reads Kafka."""

from prometheus_client import CollectorRegistry, Counter

from services.contracts.topics import ADAPTER_PUBLISHED, APPLICATION_SUBMITTED, JOB_POSTED, SCORE_LABELLED

DEAD_LETTER_KINDS = (
    "bad_encoding",
    "bad_json",
    "wrong_type",
    "unknown_field",
    "field_limits",
    "undecodable_batch",
    "undecodable_record",
    "unknown_job",
    "waiting_room_full",
    "invalid_input",
    "scoring_failed",
)
READ_TOPICS = (JOB_POSTED, APPLICATION_SUBMITTED, SCORE_LABELLED, ADAPTER_PUBLISHED)


class DeadLetterCounter:
    """Counts by kind of error; every kind exists at zero, so that a rate over it is defined from the start.

    Args:
        registry: where it is collected.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._total = Counter(
            "scoring_dead_letters_total",
            "Records that were put aside because they cannot be processed.",
            ["error_kind"],
            registry=registry,
        )
        for kind in DEAD_LETTER_KINDS:
            self._total.labels(kind)
        self._undecodable = Counter(
            "scoring_undecodable_batches_total",
            "Batches and records that could not be decoded (damaged, unknown codec) and were passed over.",
            ["topic"],
            registry=registry,
        )
        for topic in READ_TOPICS:
            self._undecodable.labels(topic)
        self._unknown_fields = Counter(
            "scoring_unknown_fields_total",
            "Fields of records that this version does not know and has read past.",
            ["topic"],
            registry=registry,
        )
        for topic in READ_TOPICS:
            self._unknown_fields.labels(topic)

    def count_dead_letter(self, error_kind: str) -> None:
        """Counts one record put aside; an unlisted kind counts as ``invalid_input``."""
        self._total.labels(error_kind if error_kind in DEAD_LETTER_KINDS else "invalid_input").inc()

    def count_undecodable(self, topic: str) -> None:
        """Counts one stretch of a topic that could not be decoded, put aside or not."""
        if topic in READ_TOPICS:
            self._undecodable.labels(topic).inc()

    def count_unknown_fields(self, topic: str, num_fields: int) -> None:
        """Counts fields of one record that were read past."""
        if topic in READ_TOPICS:
            self._unknown_fields.labels(topic).inc(num_fields)
