"""A trainer that kills itself at a point: python -m tests.doubles.processes.trainer_runner POINT ADAPTER.

``POINT`` names a function whose call is its last act, before or after the function has done its work.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from services.adapters.store import AdapterStore
from services.process.settings import load_settings
from services.rollout.administration import AdapterAdministration
from services.training_service.app import run_trainer
from services.training_service.labels.label_store import LabelStore
from services.training_service.metrics import TrainerMetrics
from services.training_service.runs.run_store import RunStore
from tests.doubles.trainer import fake_training

# What is called there, and behind which call of it the trainer ends; 0: before the first does anything.
POINTS: dict[str, tuple[type, str, int]] = {
    "before the labels are stored": (LabelStore, "apply", 0),
    "after the labels are stored": (LabelStore, "apply", 1),
    "before the manifest is written": (AdapterStore, "_write", 0),
    "after the manifest is written": (AdapterStore, "_write", 1),
    "before the announcement": (AdapterAdministration, "_announce", 0),
    "before the end is noted": (RunStore, "finish", 0),
    "after the end is noted": (RunStore, "finish", 1),
}


def killing(function: Callable[..., Any], num_calls: int) -> Callable[..., Any]:
    """Returns a function that ends this process before its first call, or behind its n-th one."""
    calls = 0

    def call(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        if num_calls == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **options)
        calls += 1
        if calls == num_calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call


def main(point: str, adapter: Path) -> None:
    if point:
        owner, name, num_calls = POINTS[point]
        setattr(owner, name, killing(getattr(owner, name), num_calls))
    metrics = TrainerMetrics(CollectorRegistry())
    asyncio.run(
        run_trainer(load_settings(), metrics, stop=asyncio.Event(), training_command=fake_training(adapter))
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
