"""``resume-scorer up`` as a newcomer runs it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.devkit.samples import load_samples
from tests.doubles.processes.forked import run_forked

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "services.cli", "up"]
# Converting the model, loading it twice and scoring, on two slow cores.
PATIENCE_SECONDS = 300


def children_of(pid: int) -> list[int]:
    """Returns the processes below one, from /proc."""
    children = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            children += [int(entry.parent.name), *children_of(int(entry.parent.name))]
    return children


def is_running(pid: int) -> bool:
    """Returns whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_once_scores_the_six_samples_and_ends_with_zero() -> None:
    finished = subprocess.run([*COMMAND, "--once"], capture_output=True, text=True, timeout=PATIENCE_SECONDS)

    assert finished.returncode == 0, finished.stderr
    for sample in load_samples():
        line = re.search(
            rf"^{re.escape(sample.label)} +{sample.expected_score} +(\d+\.\d)  ", finished.stdout, re.M
        )
        assert line is not None, finished.stdout
        assert 0 <= float(line[1]) <= 100


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_without_once_it_stays_until_it_is_ended_and_leaves_nothing_behind(
    sent: int, code: int, tmp_path: Path
) -> None:
    changes = {
        "SCORER_BASE_MODEL": "random:tiny-gemma-3",  # the test above has the real one
        "SCORER_TRAINER_DIR": str(tmp_path / "trainer"),
        "SCORER_ADAPTER_STORE": str(tmp_path / "store"),
    }
    process = subprocess.Popen(
        COMMAND, env=os.environ | changes, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    assert any("Ctrl-C ends everything" in line for line in lines)
    time.sleep(1)
    children = children_of(process.pid)
    assert len(children) >= 4  # broker, worker, API, trainer

    process.send_signal(sent)

    assert process.wait(30) == code
    process.stdout.close()
    deadline = time.monotonic() + 30
    while left := [pid for pid in children if is_running(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [("SCORER_BASE_MODEL", "no-such-model", 1), ("SCORER_GRPC_PORT", "seventy", 2), ("SCORER_TYPO", "1", 2)],
)
def test_what_cannot_start_says_why_in_one_line(variable: str, value: str, code: int) -> None:
    finished = run_forked("services.cli", "up", "--once", **{variable: value, "HF_HUB_OFFLINE": "1"})

    assert finished.returncode == code
    complaint = finished.stderr.strip().splitlines()[-1]
    assert complaint.startswith("resume-scorer: ")
    assert (value if code == 1 else variable) in complaint
    assert "Traceback" not in finished.stderr
