"""Puts the trainer together and runs it: labels in, better adapters out."""

import asyncio
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from services.contracts.errors import ScorerError, SettingsInvalid
from services.contracts.topics import SCORE_LABELLED
from services.events.broker_contact import BrokerContact
from services.events.dead_letters import DeadLetters
from services.events.kafka_client import create_topics, start_producer, stop_producer, wait_for_kafka
from services.process.health_server import HealthServer
from services.process.logging import get_logger
from services.process.settings import Settings, variable_of
from services.process.supervisor import Supervisor
from services.rollout import AdapterAdministration
from services.training_service.database import Database
from services.training_service.labels.intake import LabelIntake
from services.training_service.labels.label_store import LabelStore
from services.training_service.labels.retention_clock import RetentionClock
from services.training_service.metrics import TrainerMetrics
from services.training_service.runs.run_execution import RunExecution
from services.training_service.runs.run_store import RunStore
from services.training_service.runs.training_loop import TrainingLoop
from services.training_service.runs.training_process import TRAINING_COMMAND, TrainingProcess
from services.training_service.runs.training_set import load_golden_set

log = get_logger(__name__)

LOCK_FILE = "lock"


class TrainerAlreadyRunning(ScorerError):
    """Another trainer works in the same folder."""


async def run_trainer(
    settings: Settings,
    metrics: TrainerMetrics,
    *,
    stop: asyncio.Event,
    training_command: Sequence[str] = TRAINING_COMMAND,
) -> None:
    """Takes labels in and trains until ``stop`` is set; a run in flight goes on at the next start.

    Args:
        metrics: served, with health, on ``trainer_metrics_port``.
        training_command: the training program; ``--job FILE`` follows.

    Raises:
        TrainerAlreadyRunning: another trainer has the folder.
        SettingsInvalid: a port, a certificate file, the golden set or the folder cannot be used.
        KafkaError: the broker refuses what the trainer cannot do without.
        sqlite3.Error: the store cannot be written; nothing is lost by a restart.
    """
    folder = settings.trainer_dir
    with exclusive(folder):
        trainer = _Trainer(settings, metrics, training_command)
        ready = {"consumer": trainer.is_connected}
        async with HealthServer(settings, "trainer_metrics_port", metrics.registry, live={}, ready=ready):
            await Supervisor(stop).finishes(trainer.work())
        log.info("trainer stopped")


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Holds a folder against a second trainer; the kernel lets go of it however this process ends.

    Raises:
        TrainerAlreadyRunning: another one holds it.
        SettingsInvalid: the folder cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsInvalid(
            f"{variable_of('trainer_dir')}: {folder} cannot be written: {error.strerror}"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TrainerAlreadyRunning(f"another trainer works in {folder}") from error
        yield
    finally:
        os.close(lock)


async def _repeat_announcement(settings: Settings) -> None:
    try:
        stored = await AdapterAdministration(settings).repeat_announcement()
    except ScorerError as error:
        log.warning("the active adapter was not announced again", reason=str(error))
    else:
        log.info("active adapter", version=stored.version if stored is not None else "")


class _Trainer:
    """The life of one trainer."""

    def __init__(self, settings: Settings, metrics: TrainerMetrics, training_command: Sequence[str]) -> None:
        self._settings = settings
        self._metrics = metrics
        self._training_command = training_command
        self._intake: LabelIntake | None = None
        self._contact = BrokerContact()

    def is_connected(self) -> bool:
        is_reading = self._intake is not None and self._intake.is_connected()
        return is_reading and self._contact.is_in_contact()

    async def work(self) -> None:
        started = time.monotonic()
        settings, metrics = self._settings, self._metrics
        await asyncio.to_thread(load_golden_set, settings)  # better refused now than after a training run
        async with AsyncExitStack() as stack:
            await wait_for_kafka(settings)
            await create_topics(settings)
            await _repeat_announcement(settings)
            producer = await start_producer(settings)
            stack.push_async_callback(stop_producer, producer)
            database = Database(settings.trainer_dir)
            stack.callback(database.close)
            labels, runs = LabelStore(database, settings.trainer_held_out_share), RunStore(database)
            clock = RetentionClock(database)
            self._intake = LabelIntake(settings, labels, DeadLetters(producer, metrics.dead_letters), metrics)
            process = TrainingProcess(settings, self._training_command)
            execution = RunExecution(settings, labels, runs, process, metrics)
            log.info("trainer ready", seconds=round(time.monotonic() - started, 2))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._contact.watch(settings, SCORE_LABELLED))
                group.create_task(self._intake.follow())
                group.create_task(TrainingLoop(settings, labels, runs, clock, execution, metrics).follow())
