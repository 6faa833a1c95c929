"""What every process has: logs, metrics, traces, its end."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt

from services.process.settings.section import Section


def _upper_case(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class LogSettings(Section):
    """What is logged, and how."""

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper_case)] = "INFO"
    """lowest level that is written"""
    log_format: Literal["json", "console"] = "json"
    """one JSON object a line, or lines for people"""


class AuditLogSettings(Section):
    """The record of every score."""

    audit_log_dir: str = ""
    """folder of a line for every score (docs/privacy.md); empty: none is written"""
    audit_log_max_file_bytes: PositiveInt = 100 * 1024**2
    """a file that reaches this size is closed and the next one opened"""


class OperationSettings(LogSettings, AuditLogSettings):
    """How a process is watched and ended."""

    metrics_host: str = "127.0.0.1"
    """address of metrics and probes"""
    tracing_endpoint: str = ""
    """OTLP over gRPC, such as http://127.0.0.1:4317; empty: no traces"""
    drain_seconds: PositiveFloat = 20.0
    """how long SIGTERM waits for work in flight"""
    hang_seconds: PositiveFloat = 120.0
    """without progress of the model for this long, /livez fails"""
    drift_window_scores: int = Field(1000, ge=200, le=1_000_000)
    """latest scores compared with training's"""
