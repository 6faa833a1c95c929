"""What a run learns from and what it is judged on, written as the files of its job."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from services.contracts.errors import SettingsInvalid
from services.contracts.training_run import DATA_FILE, HELD_OUT_FILE
from services.process.settings import TrainingSetSettings, variable_of
from services.training_service.labels.label_store import LabelStore, TrainingPair

T = TypeVar("T")

#: However few labels are new, so many base pairs stand beside them: a handful must not pull it along.
MIN_BASE_PAIRS = 16
#: Recent held-out applications beside the golden set; each is scored twice.
MAX_HELD_OUT = 500


@dataclass(frozen=True, slots=True)
class TrainingSetSummary:
    """What the files hold.

    Attributes:
        num_new: applications that no published run has learned.
        num_replayed: applications that one has.
        num_base: pairs of the base set.
        num_held_out: held-out applications.
        num_golden: pairs of the golden set.
    """

    num_new: int
    num_replayed: int
    num_base: int
    num_held_out: int
    num_golden: int


def write_training_set(
    store: LabelStore, settings: TrainingSetSettings, run_id: int, folder: Path
) -> TrainingSetSummary:
    """Writes the data and the held-out file of a run; the same store and run give the same files.

    Raises:
        SettingsInvalid: the golden set cannot be read.
    """
    chance = random.Random(run_id)  # noqa: S311 - a sample, not a secret
    new_ids = store.fresh_applications(run_id)
    learned_ids = sorted(set(store.learned_applications()) - set(new_ids))
    new = store.pairs(new_ids)
    replayed = store.pairs(_sample(learned_ids, settings.trainer_replay_share * len(new), chance))
    num_base = max(MIN_BASE_PAIRS, settings.trainer_base_share * len(new))
    base = _sample(load_base_set(), num_base, chance)
    held_out = store.pairs(store.held_out_applications(MAX_HELD_OUT))
    golden = load_golden_set(settings)
    _write(folder / DATA_FILE, [*new, *replayed, *base])
    _write(folder / HELD_OUT_FILE, [*golden, *held_out])
    return TrainingSetSummary(len(new), len(replayed), len(base), len(held_out), len(golden))


def load_base_set() -> list[TrainingPair]:
    """Returns the invented pairs that a run must not forget (``resume-scorer data synthetic``, seed 101)."""
    return _parse(files("services.training_service").joinpath("base_set.jsonl").read_text("utf-8"))


def load_golden_set(settings: TrainingSetSettings) -> list[TrainingPair]:
    """Returns the frozen pairs that every adapter is judged on; the built-in ones are invented (seed 202).

    Raises:
        SettingsInvalid: the file of the settings cannot be read or a row is no labelled pair.
    """
    chosen = settings.trainer_golden_set
    try:
        if chosen:
            return _parse(Path(chosen).expanduser().read_text("utf-8"))
        return _parse(files("services.training_service").joinpath("golden_set.jsonl").read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsInvalid(
            f"{variable_of('trainer_golden_set')}: holds no readable labelled pairs ({type(error).__name__})"
        ) from error


def _parse(text: str) -> list[TrainingPair]:
    rows = (json.loads(line) for line in text.splitlines() if line.strip())
    return [
        TrainingPair(str(row["resume"]), str(row["job_description"]), float(row["score"])) for row in rows
    ]


def _sample(items: Sequence[T], wanted: float, chance: random.Random) -> list[T]:
    return chance.sample(list(items), min(len(items), round(wanted)))


def _write(path: Path, pairs: Iterable[TrainingPair]) -> None:
    lines = (
        json.dumps({"resume": pair.resume, "job_description": pair.job_description, "score": pair.score})
        for pair in pairs
    )
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
