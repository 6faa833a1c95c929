"""Runs services as child processes and shows their output as one stream with coloured names."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.contracts.errors import ScorerError
from services.devkit.console import err
from services.process.parent_death import end_with_parent

_COLOURS = ("cyan", "magenta", "yellow", "green")
_NAME_WIDTH = 7


class ChildFailed(ScorerError):
    """A service ended although nobody asked it to."""


@dataclass
class ChildProcesses:
    """The services that ``up`` started.

    Attributes:
        environment: of every child.
    """

    environment: Mapping[str, str]
    _running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    _readers: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, name: str) -> None:
        """Starts ``resume-scorer NAME``."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.cli",
            name,
            env=dict(self.environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C reaches only the parent, which ends the children in order.
            start_new_session=True,
            # Killed without a chance to do so, it takes them along all the same.
            preexec_fn=end_with_parent(signal.SIGTERM),
        )
        colour = _COLOURS[len(self._running) % len(_COLOURS)]
        self._running[name] = process
        self._readers.append(asyncio.create_task(_show_output(name, colour, process)))

    async def wait_for_failure(self) -> None:
        """Waits until a child ends by itself.

        Raises:
            ChildFailed: it did; the message names it.
        """
        waits = {asyncio.create_task(process.wait()): name for name, process in self._running.items()}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        ended = next(iter(done))
        raise ChildFailed(f"{waits[ended]} ended with exit code {ended.result()}; its last lines stand above")

    async def stop(self, grace_seconds: float) -> None:
        """Ends all children: SIGTERM first, SIGKILL after the grace period."""
        for process in self._running.values():
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
        waits = [asyncio.create_task(process.wait()) for process in self._running.values()]
        if waits:
            _, late = await asyncio.wait(waits, timeout=grace_seconds)
            if late:
                for process in self._running.values():
                    if process.returncode is None:
                        process.kill()
                await asyncio.wait(late)
        await asyncio.gather(*self._readers)


async def _show_output(name: str, colour: str, process: asyncio.subprocess.Process) -> None:
    if process.stdout is None:
        return
    async for line in process.stdout:
        err.print(f"[{colour}]{name:<{_NAME_WIDTH}}[/] |", end=" ")
        err.print(line.decode("utf-8", "replace").rstrip(), markup=False, soft_wrap=True)
