"""How far long work is, on standard error: a bar on a terminal, a line every ten seconds elsewhere."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.devkit import err, say

INTERVAL_SECONDS = 10.0

#: Told how many more of the whole are done.
Advance = Callable[[int], None]


class ProgressLines:
    """Writes a line every few seconds, from a thread of its own: a step that hangs shows, too.

    Args:
        total: how much there is to do.
        write: takes each line.
        clock: seconds, never falling.
    """

    def __init__(
        self,
        description: str,
        total: int,
        write: Callable[[str], None] = say,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._description = description
        self._total = total
        self._write = write
        self._clock = clock
        self._started = clock()
        self._num_done = 0
        self._is_over = threading.Event()

    def advance(self, num_more: int) -> None:
        """Notes that so many more are done."""
        self._num_done += num_more

    def line(self) -> str:
        """Returns how many are done, how many a second, and how long the rest will take."""
        done = f"{self._description}: {self._num_done} of {self._total}"
        seconds = self._clock() - self._started
        if not self._num_done or seconds <= 0:
            return done
        rate = self._num_done / seconds
        shown = f"{rate:.1f}" if rate < 10 else f"{rate:.0f}"
        return f"{done}, {shown} a second, {_duration((self._total - self._num_done) / rate)} left"

    @contextmanager
    def running(self, interval_seconds: float = INTERVAL_SECONDS) -> Iterator[Advance]:
        """Writes lines for the length of a block."""
        thread = threading.Thread(target=self._run, args=(interval_seconds,), name="progress", daemon=True)
        thread.start()
        try:
            yield self.advance
        finally:
            self._is_over.set()
            thread.join()

    def _run(self, interval_seconds: float) -> None:
        while not self._is_over.wait(interval_seconds):
            self._write(self.line())


@contextmanager
def progress(description: str, total: int) -> Iterator[Advance]:
    """Shows how far work is for the length of a block, which advances it."""
    if not err.is_terminal:
        with ProgressLines(description, total).running() as advance:
            yield advance
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err) as bar:
        task = bar.add_task(description, total=total)
        yield lambda num_more: bar.advance(task, num_more)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
