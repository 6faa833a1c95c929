"""``python -m MODULE`` in a moment: forked from a server that has imported what takes seconds, once."""

import importlib
import multiprocessing
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from huggingface_hub import constants

from services.cli.command_table import COMMANDS
from services.process.parent_death import end_with_parent

# No module that is run itself, and nothing that computes: a child does not have the threads of its parent.
PRELOADED = [
    *{place.partition(":")[0] for place, _ in COMMANDS.values()},
    "services.scoring.engine.factory",
    "services.scoring.model.loading.random_models",
    "services.training_service.app",
    "training.job",
    "transformers.models.gemma3.modeling_gemma3",
    __name__,
]


class Forked:
    """A process, with as much of the face of ``subprocess.Popen`` as is used.

    Args:
        module: what ``python -m`` would be given.
        arguments: of the module.
        environment: of the process, as a whole.
        log_file: of both streams; without one, each has a file of its own.
    """

    def __init__(
        self, module: str, *arguments: str, environment: Mapping[str, str], log_file: Path | None = None
    ) -> None:
        folder = tempfile.mkdtemp(prefix="forked-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._files = [log_file or Path(folder, name) for name in ("stdout", "stderr")]
        for file in self._files:
            file.touch()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        self._process = context.Process(
            target=_run, args=(module, arguments, dict(environment), list(map(str, self._files))), daemon=True
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def stdout(self) -> str:
        """Returns what it has written there so far."""
        return self._files[0].read_text("utf-8", "replace")

    @property
    def stderr(self) -> str:
        """Returns what it has written there so far."""
        return self._files[1].read_text("utf-8", "replace")

    def poll(self) -> int | None:
        """Returns its exit code, negative for a signal, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        """Returns its exit code, or None if it still runs after so many seconds."""
        self._process.join(timeout)
        return self._process.exitcode

    def send_signal(self, sent: int) -> None:
        """Sends a signal, if there is still somebody to get it."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, sent)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)


def run_forked(
    module: str, *arguments: str, timeout: float = 150.0, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Runs ``python -m module arguments`` with variables beside those of this process.

    Raises:
        subprocess.TimeoutExpired: it took longer than ``timeout`` seconds, and was ended.
    """
    process = Forked(module, *arguments, environment=os.environ | variables)
    exit_code = process.wait(timeout)
    if exit_code is None:
        process.kill()
        process.wait()
        raise subprocess.TimeoutExpired([module, *arguments], timeout, process.stdout, process.stderr)
    return subprocess.CompletedProcess([module, *arguments], exit_code, process.stdout, process.stderr)


def _run(module: str, arguments: tuple[str, ...], environment: dict[str, str], files: list[str]) -> None:
    set_death_signal = end_with_parent(signal.SIGKILL)
    if set_death_signal is not None:
        set_death_signal()
    for stream, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), stream)
    os.environ.clear()
    os.environ.update(environment)
    importlib.reload(constants)  # what a fresh process reads from its environment
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)
