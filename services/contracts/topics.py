"""Names of the Kafka topics and how they are kept."""

from dataclasses import dataclass

JOB_POSTED = "recruiting.job.posted.v1"
APPLICATION_SUBMITTED = "recruiting.application.submitted.v1"
APPLICATION_SCORED = "recruiting.application.scored.v1"
SCORE_LABELLED = "recruiting.score.labelled.v1"
ANNOTATION_REQUESTED = "recruiting.annotation.requested.v1"
ADAPTER_PUBLISHED = "scoring.adapter.published.v1"


def dead_letter_topic(topic: str) -> str:
    """Returns the topic that takes the records of ``topic`` which cannot be processed."""
    return f"{topic}.dlq"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How one topic is created.

    Attributes:
        name: the topic's name.
        cleanup_policy: Kafka's ``cleanup.policy``.
        is_partitioned: whether it takes the configured number of partitions instead of one.
        retention_days: how long records stay where ``cleanup_policy`` deletes; docs/privacy.md states them.
    """

    name: str
    cleanup_policy: str
    is_partitioned: bool = True
    retention_days: int | None = None


TOPICS: tuple[TopicSpec, ...] = (
    TopicSpec(JOB_POSTED, "compact"),
    TopicSpec(APPLICATION_SUBMITTED, "delete", retention_days=7),
    TopicSpec(APPLICATION_SCORED, "compact,delete", retention_days=90),
    TopicSpec(SCORE_LABELLED, "delete", retention_days=30),
    TopicSpec(ANNOTATION_REQUESTED, "delete", retention_days=30),
    TopicSpec(ADAPTER_PUBLISHED, "compact", is_partitioned=False),
    TopicSpec(dead_letter_topic(JOB_POSTED), "delete", is_partitioned=False, retention_days=14),
    TopicSpec(dead_letter_topic(APPLICATION_SUBMITTED), "delete", is_partitioned=False, retention_days=14),
    TopicSpec(dead_letter_topic(SCORE_LABELLED), "delete", is_partitioned=False, retention_days=14),
)
