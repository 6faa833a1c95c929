"""The broker, and what is read from it."""

from typing import Literal

from pydantic import Field, PositiveInt, SecretStr

from services.process.settings.section import Port, Section


class KafkaSettings(Section):
    """How Kafka is reached and its records are read."""

    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    """host:port, several separated by commas"""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """whether connections are encrypted (SSL) and by whom they are opened (SASL)"""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """how the user proves who it is"""
    kafka_sasl_username: str = ""
    """who connects, with SASL"""
    kafka_sasl_password: SecretStr = SecretStr("")
    """its password"""
    kafka_ssl_cafile: str = ""
    """PEM of the authorities that are trusted; empty: the system's"""
    kafka_ssl_certfile: str = ""
    """PEM of our own certificate, for mutual TLS"""
    kafka_ssl_keyfile: str = ""
    """PEM of its key; empty: it stands in the certificate's file"""
    kafka_session_timeout_seconds: float = Field(6.0, ge=1, le=300)
    """a worker that is silent for so long loses its partitions"""
    kafka_num_partitions: PositiveInt = 8
    """partitions of topics that are created"""
    kafka_replication_factor: PositiveInt = 1
    """replicas of topics that are created"""
    strict_fields: bool = False
    """whether a record with an unknown field is a dead letter; else the field is read past and counted"""


class BrokerSettings(Section):
    """The development broker."""

    broker_host: str = "127.0.0.1"
    """address that it listens on"""
    broker_port: Port = 9092
    """port that it listens on; 0: any free one"""
