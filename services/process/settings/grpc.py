"""The scoring API."""

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr

from services.process.settings.section import Port, Section


class AccessSettings(Section):
    """Who may call, and how much."""

    grpc_admin_token: SecretStr = SecretStr("")
    """a token of scope admin, beside those of the file"""
    grpc_tokens_file: str = ""
    """TOML of callers and scopes; empty: scoring needs no token"""
    grpc_tokens_grace_seconds: NonNegativeFloat = 300.0
    """a file that cannot be read counts so long as before"""
    grpc_rate_per_second: float = Field(0, ge=0)
    """pairs and other calls of one caller; 0: no limit"""
    grpc_rate_burst: PositiveInt = 256
    """how many of them a caller may ask at once"""
    grpc_max_concurrent_calls: PositiveInt = 2048
    """calls at once; health and reflection have places of their own"""
    grpc_max_concurrent_calls_per_caller: PositiveInt = 512
    """calls at once of one caller, told by token, certificate or address"""
    grpc_max_watches: PositiveInt = 512
    """streams of Health.Watch"""
    grpc_max_watches_per_caller: PositiveInt = 32
    """streams of Health.Watch of one address"""
    grpc_max_explanations: PositiveInt = 2
    """Explain calls at once; of one caller half of them, but one"""


class ApiSettings(AccessSettings):
    """How the gRPC server listens and answers."""

    grpc_host: str = "127.0.0.1"
    """address that it listens on"""
    grpc_port: Port = 50051
    """port that it listens on; 0: any free one"""
    grpc_max_message_bytes: PositiveInt = 8 * 1024**2
    """as max_message_bytes in scoring_service.proto"""
    grpc_default_deadline_seconds: PositiveFloat = 60.0
    """for calls that come without one"""
    grpc_idle_stream_seconds: PositiveFloat = 300.0
    """a stream in which nothing happens for so long is ended"""
    grpc_tls_certfile: str = ""
    """certificate chain, PEM; read again when it changes"""
    grpc_tls_keyfile: str = ""
    """key of the certificate, PEM"""
    grpc_tls_client_cafile: str = ""
    """only clients with a certificate of these authorities get in"""
    api_allow_plaintext: bool = False
    """on: without TLS on other addresses than loopback too"""
    grpc_health: bool = True
    """whether grpc.health.v1.Health is served"""
    grpc_reflection: bool = True
    """whether server reflection is served"""
    api_metrics_port: Port = 9102
    """port of metrics and probes"""
