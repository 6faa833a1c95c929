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
    """

    name: str
    cleanup_policy: str
    is_partitioned: bool = True


TOPICS: tuple[TopicSpec, ...] = (
    TopicSpec(JOB_POSTED, "compact"),
    TopicSpec(APPLICATION_SUBMITTED, "delete"),
    TopicSpec(APPLICATION_SCORED, "compact,delete"),
    TopicSpec(SCORE_LABELLED, "delete"),
    TopicSpec(ANNOTATION_REQUESTED, "delete"),
    TopicSpec(ADAPTER_PUBLISHED, "compact", is_partitioned=False),
    TopicSpec(dead_letter_topic(JOB_POSTED), "delete", is_partitioned=False),
    TopicSpec(dead_letter_topic(APPLICATION_SUBMITTED), "delete", is_partitioned=False),
    TopicSpec(dead_letter_topic(SCORE_LABELLED), "delete", is_partitioned=False),
)
