"""The Kafka client's types, for rooms that are handed one: which library it is, this room alone knows."""

from aiokafka import AIOKafkaConsumer as Consumer
from aiokafka import AIOKafkaProducer as Producer
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient as AdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

__all__ = [
    "AdminClient",
    "Consumer",
    "ConsumerRecord",
    "KafkaConnectionError",
    "KafkaError",
    "Producer",
    "TopicPartition",
]
