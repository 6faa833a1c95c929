"""The folder of one run: its job, its data, its adapter, and the verdict."""

import shutil
from pathlib import Path

from services.contracts.training_run import ADAPTER_FOLDER, CHECKPOINTS_FOLDER, DATA_FILE, HELD_OUT_FILE

RUNS_FOLDER = "runs"
GATE_FILE = "gate.json"


def run_folder(trainer_dir: Path, run_id: int) -> Path:
    """Returns where the files of a run lie."""
    return trainer_dir / RUNS_FOLDER / f"{run_id:06}"


def tidy(trainer_dir: Path, unfinished_id: int | None, num_kept: int) -> None:
    """Removes what ended runs need no more: people's texts and checkpoints at once, whole folders in time.

    Args:
        unfinished_id: the run that goes on, which keeps everything.
        num_kept: ended runs whose adapter and verdict stay.
    """
    parent = trainer_dir / RUNS_FOLDER
    if not parent.is_dir():
        return
    going_on = None if unfinished_id is None else run_folder(trainer_dir, unfinished_id).name
    ended = sorted((folder for folder in parent.iterdir() if folder.name != going_on), reverse=True)
    for folder in ended[:num_kept]:
        for name in (DATA_FILE, HELD_OUT_FILE):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / ADAPTER_FOLDER / CHECKPOINTS_FOLDER, ignore_errors=True)
    for folder in ended[num_kept:]:
        shutil.rmtree(folder, ignore_errors=True)
