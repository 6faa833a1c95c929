"""How long a whole training takes on the real model: 24 invented pairs, from texts to a served adapter."""

import asyncio
import json
import tempfile
from pathlib import Path

from tests.programs.benchmarks.report.figures import Outcome, over_rounds
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.start import seconds_of
from training.synthetic.generator import generate_pairs

NUM_PAIRS = 24
NUM_VALIDATION_PAIRS = 8
RESUMES_PER_JOB = 4
MOST_MINUTES = 10
# The guide's settings with its three epochs, at a batch that two cores get through.
CONFIG = "epochs: 3\nbatch_size: 4\ngradient_accumulation_steps: 1\nwarm_up_steps: 2\nreference_pairs: 8\n"


async def training_run(setup: Setup) -> Outcome:
    """Times train, which also exports, and evaluate with the new adapter, each as a person calls it."""
    return await asyncio.to_thread(_measure)


def _measure() -> Outcome:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        data, held_out, config = folder / "train.jsonl", folder / "held-out.jsonl", folder / "config.yaml"
        _write(data, NUM_PAIRS, seed=31)
        _write(held_out, NUM_VALIDATION_PAIRS, seed=32)
        config.write_text(CONFIG)
        adapter = folder / "adapter"
        train = ["-m", "services.cli", "train", "--data", str(data), "--validation", str(held_out)]
        training = seconds_of([*train, "--output", str(adapter), "--config", str(config)])
        evaluate = ["-m", "services.cli", "evaluate", "--data", str(held_out), "--adapter", str(adapter)]
        evaluation = seconds_of([*evaluate, "--report", str(folder / "report")])
    return Outcome(
        (
            over_rounds("train and export", [training / 60], "min"),
            over_rounds("evaluate with a report", [evaluation / 60], "min"),
            over_rounds("a whole training", [(training + evaluation) / 60], "min", at_most=MOST_MINUTES),
        ),
        f"{NUM_PAIRS} invented pairs, three epochs, validated on {NUM_VALIDATION_PAIRS}; one round",
    )


def _write(file: Path, num_pairs: int, seed: int) -> None:
    rows = generate_pairs(num_pairs, seed, resumes_per_job=RESUMES_PER_JOB)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
