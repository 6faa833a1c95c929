"""How long a person waits for the command: one pair scored, and the import of the command alone."""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.doubles import texts
from tests.programs.benchmarks.report.figures import Outcome, over_rounds
from tests.programs.benchmarks.rig.setup import Setup

MOST_SECONDS_FOR_A_PAIR = 12
MOST_SECONDS_FOR_IMPORT = 0.5
NUM_IMPORTS = 3  # a round; the median of so many short runs is steady enough


async def start(setup: Setup) -> Outcome:
    """Times the commands as fresh processes, with the model prepared by an unmeasured run."""
    return await asyncio.to_thread(_measure, setup.num_rounds)


def _measure(num_rounds: int) -> Outcome:
    pairs, imports = [], []
    with tempfile.TemporaryDirectory() as scratch:
        job, resume = Path(scratch, "job.txt"), Path(scratch, "resume.txt")
        job.write_text(texts.jobs(1)[0].description)
        resume.write_text(texts.resumes(1, seed=1)[0])
        command = ["-m", "services.cli", "score", "--job", str(job), "--resume", str(resume), "--json"]
        seconds_of(command)
        for _ in range(num_rounds):
            pairs.append(seconds_of(command))
            for _ in range(NUM_IMPORTS):
                bare = seconds_of(["-c", "pass"])
                imports.append(seconds_of(["-c", "import services.cli.__main__"]) - bare)
    return Outcome(
        (
            over_rounds("score one pair, from the shell", pairs, "s", at_most=MOST_SECONDS_FOR_A_PAIR),
            over_rounds("import of the command", imports, "s", at_most=MOST_SECONDS_FOR_IMPORT),
        ),
        "the import is that of a fresh interpreter less a bare one's start",
    )


def seconds_of(arguments: list[str]) -> float:
    """Returns how long a fresh Python runs with these arguments.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started
