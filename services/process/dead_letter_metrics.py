"""What is counted of records that cannot be read, the same in every process that reads Kafka."""

from collections.abc import Sequence

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
        self._total = _touched(
            "scoring_dead_letters_total",
            "Records that were put aside because they cannot be processed.",
            ("error_kind", DEAD_LETTER_KINDS),
            registry,
        )
        self._undecodable = _touched(
            "scoring_undecodable_batches_total",
            "Batches and records that could not be decoded (damaged, unknown codec) and were passed over.",
            ("topic", READ_TOPICS),
            registry,
        )
        self._unknown_fields = _touched(
            "scoring_unknown_fields_total",
            "Fields of records that this version does not know and has read past.",
            ("topic", READ_TOPICS),
            registry,
        )

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


def _touched(
    name: str, documentation: str, label: tuple[str, Sequence[str]], registry: CollectorRegistry
) -> Counter:
    """Returns a counter of which every series exists at zero."""
    label_name, values = label
    counter = Counter(name, documentation, [label_name], registry=registry)
    for value in values:
        counter.labels(value)
    return counter
