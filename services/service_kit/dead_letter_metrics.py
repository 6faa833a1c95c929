"""The count of records that were put aside, the same in every process that reads Kafka."""

from prometheus_client import CollectorRegistry, Counter

DEAD_LETTER_KINDS = (
    "bad_encoding",
    "bad_json",
    "wrong_type",
    "unknown_field",
    "field_limits",
    "unknown_job",
    "invalid_input",
    "scoring_failed",
)


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

    def count_dead_letter(self, error_kind: str) -> None:
        """Counts one record put aside; an unlisted kind counts as ``invalid_input``."""
        self._total.labels(error_kind if error_kind in DEAD_LETTER_KINDS else "invalid_input").inc()
