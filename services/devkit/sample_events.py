"""Publishes what an applicant-tracking system would: the samples' jobs and applications."""

from typing import Any

from aiokafka import AIOKafkaProducer

from services.contracts import topics
from services.devkit.samples import SamplePair
from services.events.kafka_client import publish
from services.events.wire.event_codec import cloud_event_headers, encode_event
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted, JobPosted


async def publish_event(producer: AIOKafkaProducer, topic: str, key: str, message: Any) -> None:
    """Publishes one event and waits for the broker's word."""
    headers = cloud_event_headers(topic)
    await publish(producer, topic, key=key.encode(), value=encode_event(message), headers=headers)


async def publish_sample(producer: AIOKafkaProducer, sample: SamplePair) -> None:
    """Publishes a sample's job and then its application."""
    job = JobPosted(job_id=sample.job_id, title=sample.job_title, description=sample.job_description)
    await publish_event(producer, topics.JOB_POSTED, sample.job_id, job)
    application = ApplicationSubmitted(
        application_id=sample.application_id, job_id=sample.job_id, resume=sample.resume
    )
    await publish_event(producer, topics.APPLICATION_SUBMITTED, sample.job_id, application)
