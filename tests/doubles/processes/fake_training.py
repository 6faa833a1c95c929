"""Stands in for training: python -m tests.doubles.processes.fake_training ADAPTER [OPTIONS] --job FILE.

It exports a ready adapter with a comparison, fails, hangs, or waits for a file, and never loads a model.
"""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from services.adapters.adapter_folder import read_adapter

FIGURES = {
    "mean_absolute_error": 10.0,
    "spearman": 0.8,
    "expected_calibration_error": 5.0,
    "negative_log_likelihood": 3.5,
    "name_change": 0.4,
    "injection_rise": 1.0,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("adapter", type=Path)
    parser.add_argument("--exit-code", type=int, default=0)
    parser.add_argument("--wait-for", type=Path)
    parser.add_argument("--comparison", type=Path, help="instead of one in which the candidate is as good")
    parser.add_argument("--job", type=Path, required=True)
    options = parser.parse_args()
    job = json.loads(options.job.read_text())
    output = Path(job["output"])
    output.mkdir(parents=True, exist_ok=True)
    with (options.job.parent / "starts").open("a") as starts:
        starts.write("start\n")
    (output / "progress.json").write_text(json.dumps({"state": "RUNNING", "message": "step 1/1"}))
    while options.wait_for is not None and not options.wait_for.exists():
        time.sleep(0.02)
    if options.exit_code:
        sys.exit(options.exit_code)
    shutil.copytree(options.adapter, output, dirs_exist_ok=True)
    (output / "comparison.json").write_text(json.dumps(_comparison(options.comparison, output)))


def _comparison(given: Path | None, output: Path) -> dict[str, Any]:
    if given is not None:
        content: dict[str, Any] = json.loads(given.read_text())
        return content
    candidate = FIGURES | {"adapter_digest": read_adapter(output).digest}
    return {
        "num_pairs": 30,
        "num_left_out": 0,
        "active": FIGURES | {"adapter_digest": "base"},
        "candidate": candidate,
    }


if __name__ == "__main__":
    main()
