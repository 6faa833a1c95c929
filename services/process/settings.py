"""The one settings object of a process, from ``SCORER_*`` environment variables and a TOML file.

Environment variables win over the file named by ``SCORER_CONFIG_FILE``, whose keys are the same
names in lower case without the prefix.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from services.contracts.errors import SettingsInvalid

PREFIX = "SCORER_"
CONFIG_FILE_VARIABLE = "SCORER_CONFIG_FILE"
Port = int


def _upper_case(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class Settings(BaseSettings):
    """Everything that can be configured; frozen once read."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    # Model
    base_model: str = "gemma-3-270m"  # the bundled one; else a hub id or a folder
    model_cache_dir: Path = Path("~/.cache/resume-scorer").expanduser()
    device: str = "auto"  # auto, cpu, cuda, cuda:0
    quantization: Literal["auto", "nf4", "none"] = "auto"  # auto: nf4 on CUDA, none on a CPU
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"  # auto: bfloat16, or float32 on a CPU without it
    # Folder of a LoRA adapter; none: the base model alone; auto: the one that comes with the bundled model
    adapter: str = "auto"
    max_prompt_tokens: PositiveInt = 2048
    # How much of a resume is read, for scoring and training; 0: all that max_prompt_tokens leaves room for;
    # auto: what the adapter was trained on
    max_resume_tokens: Literal["auto"] | NonNegativeInt = "auto"
    mask_identity: bool = True  # replace names, pronouns, contacts and age before scoring and training

    # Adapters that are published while the services run
    adapter_name: str = Field("default", min_length=1, max_length=256)  # which announcements are followed
    adapter_store: str = "~/.local/share/resume-scorer/adapters"  # a folder, s3://..., gs://...

    # Engine
    # merged: each loaded adapter has its own copy of the layers that it changes, and costs no time; factors:
    # no copy, but slower; auto: merged where the base model is not quantised and a CUDA device has room
    lora_mode: Literal["auto", "merged", "factors"] = "auto"
    batch_layout: Literal["auto", "padded", "sequential"] = "auto"
    batch_token_budget: int = Field(0, ge=0)  # 0: 2,048 on a CPU, 20,000 on CUDA
    batching_window_seconds: float = Field(0.005, ge=0, le=5)
    max_queued_pairs: PositiveInt = 1024
    prefix_cache_bytes: int = Field(512 * 1024**2, ge=0)
    hang_seconds: PositiveFloat = 120.0  # without progress for this long, /livez fails
    drift_window_scores: int = Field(1000, ge=200, le=1_000_000)  # latest scores compared with training's

    # Kafka
    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str = ""
    kafka_sasl_password: SecretStr = SecretStr("")
    kafka_ssl_cafile: str = ""
    kafka_ssl_certfile: str = ""
    kafka_ssl_keyfile: str = ""
    kafka_session_timeout_seconds: float = Field(6.0, ge=1, le=300)
    kafka_num_partitions: PositiveInt = 8
    kafka_replication_factor: PositiveInt = 1

    # Worker
    worker_group: str = "scoring-worker"
    worker_job_wait_seconds: PositiveFloat = 60.0  # how long an application waits for its job
    worker_max_waiting: PositiveInt = 10_000  # how many may wait at once
    worker_max_in_flight: PositiveInt = 256  # applications handed to the engine at once
    # More to read, and nothing committed for this long beside the wait for jobs: /livez fails
    worker_stall_seconds: PositiveFloat = 300.0
    worker_metrics_port: Port = Field(9101, ge=0, le=65535)
    annotation_requests_per_hour: int = Field(20, ge=0, le=3600)  # of each worker, for labels; 0: none

    # API
    grpc_host: str = "127.0.0.1"
    grpc_port: Port = Field(50051, ge=0, le=65535)
    grpc_max_message_bytes: PositiveInt = 8 * 1024**2  # as max_message_bytes in scoring_service.proto
    grpc_default_deadline_seconds: PositiveFloat = 60.0  # for calls that come without one
    grpc_max_concurrent_calls: PositiveInt = 2048  # health and reflection have places of their own
    grpc_max_concurrent_calls_per_caller: PositiveInt = 512  # by token, certificate or address
    grpc_max_watches: PositiveInt = 512  # streams of Health.Watch
    grpc_max_watches_per_caller: PositiveInt = 32  # of each address
    grpc_max_explanations: PositiveInt = 2  # at once; of one caller half of them, but one
    grpc_idle_stream_seconds: PositiveFloat = 300.0  # a stream in which nothing happens for so long is ended
    grpc_admin_token: SecretStr = SecretStr("")  # a token of scope admin, beside those of the file
    grpc_tokens_file: str = ""  # TOML of callers and scopes; empty: scoring needs no token
    grpc_tokens_grace_seconds: NonNegativeFloat = 300.0  # a file that cannot be read counts so long as before
    grpc_rate_per_second: float = Field(0, ge=0)  # pairs and other calls of one caller; 0: no limit
    grpc_rate_burst: PositiveInt = 256  # how many of them at once
    grpc_tls_certfile: str = ""  # certificate chain, PEM; read again when it changes
    grpc_tls_keyfile: str = ""
    grpc_tls_client_cafile: str = ""  # only clients with a certificate of these authorities get in
    api_allow_plaintext: bool = False  # on: without TLS on other addresses than loopback too
    grpc_health: bool = True
    grpc_reflection: bool = True
    api_metrics_port: Port = Field(9102, ge=0, le=65535)

    # Audit
    audit_thresholds: str = ""  # YAML of limits for `resume-scorer audit`; empty: the built-in ones

    # Trainer: when
    trainer_dir: Path = Path("~/.local/share/resume-scorer/trainer").expanduser()  # labels, runs; one trainer
    trainer_min_new_labels: PositiveInt = 50  # so many new usable labels start a run
    trainer_max_hours: PositiveFloat = 24.0  # no usable label waits longer than this for a run
    trainer_backoff_seconds: PositiveFloat = 300.0  # after a failed run; doubled with each further failure
    trainer_min_pause_seconds: NonNegativeFloat = 600.0  # between runs that nobody asked for
    # Trainer: on what
    trainer_replay_share: float = Field(0.5, ge=0, le=10)  # older labels mixed in, for each new one
    trainer_base_share: float = Field(0.5, ge=0, le=10)  # pairs of the base set mixed in, for each new label
    trainer_held_out_share: float = Field(0.2, ge=0, lt=1)  # of the applications, never trained on
    trainer_golden_set: str = ""  # JSON lines of labelled pairs; empty: the built-in, invented ones
    trainer_retention_days: PositiveFloat = 90.0  # texts of applications that nobody labelled
    trainer_label_retention_days: PositiveFloat = 730.0  # labels with their texts
    # Trainer: how; the fine-tuning guide's online learning
    trainer_learning_rate: float = Field(1e-5, gt=0, lt=1)
    trainer_epochs: PositiveFloat = 1.0
    trainer_max_prompt_tokens: int = Field(1024, ge=128)
    trainer_checkpoint_steps: PositiveInt = 20  # a run that is cut off goes on from the last checkpoint
    trainer_run_limit_seconds: PositiveFloat = 4 * 3600.0
    trainer_nice: int = Field(10, ge=0, le=19)  # of the training process: scoring goes first
    trainer_kept_versions: PositiveInt = 10  # in the adapter store, and folders of runs
    trainer_metrics_port: Port = Field(9103, ge=0, le=65535)

    # Every process
    metrics_host: str = "127.0.0.1"
    audit_log_dir: str = ""  # a line for every score (docs/privacy.md); empty: none is written
    audit_log_max_file_bytes: PositiveInt = 100 * 1024**2
    tracing_endpoint: str = ""  # OTLP over gRPC, such as http://127.0.0.1:4317; empty: no traces
    drain_seconds: PositiveFloat = 20.0  # how long SIGTERM waits for work in hand
    # Whether a record with a field that this version does not know is put aside; else the field is read past
    strict_fields: bool = False
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper_case)] = "INFO"
    log_format: Literal["json", "console"] = "json"

    # Development broker
    broker_host: str = "127.0.0.1"
    broker_port: Port = Field(9092, ge=0, le=65535)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Reads overrides first, then the environment, then the TOML file; no .env and no secrets folder."""
        config_file = os.environ.get(CONFIG_FILE_VARIABLE)
        if not config_file:
            return init_settings, env_settings
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, toml_file=Path(config_file)),
        )


def load_settings(**overrides: Any) -> Settings:
    """Reads the settings of this process.

    Args:
        overrides: values that win over environment and file.

    Raises:
        SettingsInvalid: a variable or key is unknown or unparsable; the message names it.
    """
    _refuse_unknown_variables(os.environ)
    config_file = os.environ.get(CONFIG_FILE_VARIABLE)
    if config_file and not Path(config_file).is_file():
        raise SettingsInvalid(f"{CONFIG_FILE_VARIABLE}: there is no file {config_file}")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsInvalid(_describe(error)) from error
    except ValueError as error:  # tomllib's errors are ValueErrors
        raise SettingsInvalid(f"{CONFIG_FILE_VARIABLE}: {error}") from error


def variable_of(field: str) -> str:
    """Returns the environment variable of a settings field."""
    return PREFIX + field.upper()


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {variable_of(name) for name in Settings.model_fields} | {CONFIG_FILE_VARIABLE}
    unknown = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SettingsInvalid(f"{', '.join(unknown)}: no such setting")


def _describe(error: ValidationError) -> str:
    # pydantic's own text repeats the value, which may be a password.
    return "; ".join(
        f"{variable_of(str(item['loc'][0])) if item['loc'] else 'settings'}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False)
    )
