"""Every fault by name."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.programs.faults.backlog import kafka_overload
from tests.programs.faults.models import hung_model, out_of_memory, overload
from tests.programs.faults.outages import broker_gone, terminated
from tests.programs.faults.workers import kill_workers, rebalance_storm

FAULTS: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
    "worker-kills": kill_workers,
    "rebalance-storm": rebalance_storm,
    "broker-gone": broker_gone,
    "terminated": terminated,
    "out-of-memory": out_of_memory,
    "hung-model": hung_model,
    "overload": overload,
    "kafka-overload": kafka_overload,
}
