"""Every fault by name."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.faults.workers import kill_workers, rebalance_storm

FAULTS: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
    "worker-kills": kill_workers,
    "rebalance-storm": rebalance_storm,
}
