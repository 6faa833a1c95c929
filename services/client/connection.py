"""How a client reaches the API: address, TLS, token, and what gRPC itself tries again."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

# gRPC's own retries: jittered, bounded by the deadline, and only while nothing of an answer has come. Four
# of them bridge about four seconds: a server that stops, or a broker that changes its leader.
RETRY_POLICY = {
    "maxAttempts": 5,  # gRPC's upper bound
    "initialBackoff": "0.25s",
    "maxBackoff": "4s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
SERVICE_CONFIG = {
    # Every address of the target takes part, and one that is away is passed over.
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [{"name": [{}], "retryPolicy": RETRY_POLICY}],
}
CHANNEL_OPTIONS = (
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    # A connection that died without a word is noticed within a minute, not at the deadline.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How to connect.

    Attributes:
        is_plaintext: without TLS, for a server on this machine or where something else encrypts.
        ca_file: PEM of the authorities that the server's certificate must come from; None: the usual ones.
        cert_file: PEM of this client's certificate chain, where the server asks for one (mTLS).
        key_file: PEM of its key.
        token: sent as a bearer token; empty: none.
        timeout_seconds: for each call with all its retries, where the call names none.
        max_attempts: how often a stream sends a pair that the server has no room for; 1: never again.
    """

    is_plaintext: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    token: str = field(default="", repr=False)
    timeout_seconds: float = 30.0
    max_attempts: int = 10

    def __post_init__(self) -> None:
        """Refuses what cannot be meant.

        Raises:
            ValueError: certificates without TLS, one of certificate and key without the other, or no attempt.
        """
        if self.max_attempts < 1:
            raise ValueError("max_attempts: must be 1 at least")
        if self.is_plaintext and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("is_plaintext: certificates are of no use without TLS")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file, key_file: one needs the other")

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Returns what every call carries."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    def open_channel(self, target: str, api: Any) -> Any:
        """Returns a channel; it connects at the first call.

        Args:
            target: ``host:port``, ``dns:///name:port``, or ``ipv4:host:port,host:port`` for several servers.
            api: ``grpc`` or ``grpc.aio``.

        Raises:
            OSError: a file cannot be read.
        """
        if self.is_plaintext:
            return api.insecure_channel(target, options=CHANNEL_OPTIONS)
        credentials = grpc.ssl_channel_credentials(
            _read(self.ca_file), _read(self.key_file), _read(self.cert_file)
        )
        return api.secure_channel(target, credentials, options=CHANNEL_OPTIONS)


def _read(path: Path | None) -> bytes | None:
    return path.read_bytes() if path is not None else None
