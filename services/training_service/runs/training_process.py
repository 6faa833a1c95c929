"""The training process: started with a job file, watched, limited in time, ended with its parent."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.contracts.errors import ScorerError
from services.contracts.training_run import PROGRESS_FILE, Progress
from services.process.logging import get_logger
from services.process.parent_death import end_with_parent
from services.process.settings import PREFIX, TrainerSettings, variable_of

log = get_logger(__name__)

#: A process of its own gives its GPU memory back whatever happens in it, and its crash stays outside.
TRAINING_COMMAND = (sys.executable, "-m", "training")
WATCH_SECONDS = 0.5
END_SECONDS = 10.0  # from SIGTERM to SIGKILL; checkpoints are written in well under that

# All that the process needs to know; no password of Kafka's or of the API's is handed on.
MODEL_SETTINGS = ("base_model", "model_cache_dir", "device", "quantization", "dtype", "max_prompt_tokens")


class TrainingEnded(ScorerError):
    """The training process was ended before it was done; the text says why."""


class TrainingCancelled(TrainingEnded):
    """A person wanted it so."""


@dataclass(frozen=True, slots=True)
class TrainingProcess:
    """How a training process is started.

    Attributes:
        settings: what it runs with.
        command: the program; ``--job FILE`` follows.
    """

    settings: TrainerSettings
    command: Sequence[str] = TRAINING_COMMAND

    async def run(self, job_file: Path, output: Path, is_cancelled: Callable[[], bool]) -> int:
        """Runs a job to its end; cancelled, it takes the process along.

        Args:
            output: the job's folder, whose progress is followed.
            is_cancelled: asked every half second, on another thread.

        Returns:
            The exit code.

        Raises:
            TrainingEnded: the time limit passed.
            TrainingCancelled: ``is_cancelled`` said so.
        """
        with (job_file.parent / "training.log").open("ab") as log_file:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                "--job",
                str(job_file),
                env=training_environment(self.settings, os.environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log_file,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_before_exec(self.settings.trainer_nice),
            )
        try:
            return await self._watch(process, output, is_cancelled)
        finally:
            await _end(process)

    async def _watch(
        self, process: asyncio.subprocess.Process, output: Path, is_cancelled: Callable[[], bool]
    ) -> int:
        deadline = time.monotonic() + self.settings.trainer_run_limit_seconds
        told = ""
        ended = asyncio.create_task(process.wait())
        while not ended.done():
            progress = await asyncio.to_thread(read_progress, output)
            if progress != told:
                told = progress
                log.info("training", progress=progress)
            if time.monotonic() > deadline:
                raise TrainingEnded("the time limit passed")
            if await asyncio.to_thread(is_cancelled):
                raise TrainingCancelled("cancelled on request")
            await asyncio.wait((ended,), timeout=WATCH_SECONDS)
        return ended.result()


def training_environment(settings: TrainerSettings, environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment of a training process: the model's settings and nothing else of ours."""
    inherited = {name: value for name, value in environment.items() if not name.startswith(PREFIX)}
    return inherited | {variable_of(name): str(getattr(settings, name)) for name in MODEL_SETTINGS}


def read_progress(folder: Path) -> str:
    """Returns what the training process last said in its ``progress.json``; empty where there is none."""
    try:
        progress = Progress.read(folder / PROGRESS_FILE)
    except (OSError, ValueError):
        return ""
    return progress.message or progress.state


def _before_exec(niceness: int) -> Callable[[], None]:
    # SIGKILL: a trainer that was killed is started again at once, and its run with it.
    set_death_signal = end_with_parent(signal.SIGKILL)

    def prepare() -> None:
        if set_death_signal is not None:
            set_death_signal()
        os.nice(niceness)

    return prepare


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
