"""What tests of the trainer share: settings of its own, one that runs in the background, labels to send."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from services.contracts.topics import SCORE_LABELLED
from services.process.settings import Settings
from services.training_service.app import run_trainer
from services.training_service.database import Database
from services.training_service.labels.label_store import LabelCounts, LabelStore
from services.training_service.metrics import TrainerMetrics
from services.training_service.runs.run_folder import run_folder
from services.training_service.runs.run_store import ENDS, Run, RunStore
from tests.doubles.kafka_desk import KafkaDesk

PATIENCE_SECONDS = 30.0


def trainer_settings(settings: Settings, folder: Path, **changes: Any) -> Settings:
    """Returns settings whose every folder is the test's own."""
    own = {
        "base_model": "random:tiny-gemma-3",
        "adapter": "none",
        "adapter_name": f"test-{folder.name}",
        "adapter_store": str(folder / "store"),
        "trainer_dir": folder / "trainer",
        "trainer_metrics_port": 0,
        "trainer_min_new_labels": 20,
        "trainer_min_pause_seconds": 0.0,
        "trainer_nice": 0,
    }
    return settings.model_copy(update=own | changes)


class TrainerDesk:
    """Sends labels, and looks into the trainer's store from outside, as ``trainer status`` does."""

    def __init__(self, settings: Settings, desk: KafkaDesk) -> None:
        self.settings = settings
        self._desk = desk
        self._database = Database(settings.trainer_dir)
        self.labels = LabelStore(self._database, settings.trainer_held_out_share)
        self.runs = RunStore(self._database)

    def close(self) -> None:
        self._database.close()

    async def label(self, application: str, rater: str = "r", *, texts: bool = True, **fields: Any) -> None:
        value = {"application_id": self._desk.name(application), "rater": rater, **fields}
        if texts:
            value |= {"resume": f"Resume of {application}.", "job_description": "A job."}
        await self._desk.send(SCORE_LABELLED, application, json.dumps(value).encode())

    async def send_labels(self, count: int, word: str = "a") -> None:
        for number in range(count):
            await self.label(f"{word}-{number}", score=number % 101)
        await self._desk.flush()

    async def until(self, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        async with asyncio.timeout(seconds):
            while not await asyncio.to_thread(condition):
                await asyncio.sleep(0.02)

    async def counts(self, condition: Callable[[LabelCounts], bool]) -> LabelCounts:
        await self.until(lambda: condition(self.labels.counts()))
        return self.labels.counts()

    async def ended_run(self, run_id: int, seconds: float = PATIENCE_SECONDS) -> Run:
        def find() -> list[Run]:
            return [run for run in self.runs.latest(10) if run.run_id == run_id and run.state in ENDS]

        await self.until(lambda: bool(find()), seconds)
        return find()[0]

    def folder(self, run_id: int) -> Path:
        return run_folder(self.settings.trainer_dir, run_id)


def fake_training(adapter: Path, *options: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.doubles.processes.fake_training", str(adapter), *options)


@asynccontextmanager
async def running_trainer(settings: Settings, command: tuple[str, ...] = ()) -> AsyncIterator[TrainerMetrics]:
    """Runs a trainer while the context lasts, and stops it in order."""
    metrics = TrainerMetrics(CollectorRegistry())
    stop = asyncio.Event()
    command = command or (sys.executable, "-c", "raise SystemExit('no training in this test')")
    running = asyncio.create_task(run_trainer(settings, metrics, stop=stop, training_command=command))
    try:
        yield metrics
    finally:
        stop.set()
        await running
