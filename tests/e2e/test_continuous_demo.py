"""``resume-scorer demo continuous`` with a tiny Gemma: another adapter in every scorer, and back."""

import os
import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SETTINGS = {
    "SCORER_BASE_MODEL": "random:tiny-gemma-3",
    "SCORER_DTYPE": "float32",
    "SCORER_DEVICE": "cpu",
    "SCORER_TRAINER_NICE": "0",
    # Resumes are cut to it, which makes training short.
    "SCORER_TRAINER_MAX_PROMPT_TOKENS": "640",
}
# Four processes that load torch and a model: a minute on two free cores, many times that on busy ones.
PATIENCE_SECONDS = 900
STEPS = (
    "worker, API and trainer are ready",
    "worker and API score with adapter base",
    "60 labels are published",
    "training started by itself (new_labels)",
    "the adapter passed the gate",
    "published as",
    "without a restart",
    "rolled back",
    "worker and API score with adapter base again",
)


def test_labels_become_an_adapter_in_every_scorer_and_a_rollback_takes_it_back() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "services.cli", "demo", "continuous"],
        env=os.environ | SETTINGS,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr
    places = [finished.stdout.index(step) for step in STEPS]
    assert places == sorted(places)
    times = [float(time) for time in re.findall(r"^ +(\d+\.\d) s  ", finished.stdout, re.M)]
    assert times == sorted(times)
    published = re.search(r"published as \d{8}T\d{6}-(\w{8})", finished.stdout)
    assert published is not None
    assert f"worker and API score with adapter {published[1]}" in finished.stdout
