"""The grid: every combination once, resumable, ranked, the best written out."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from services.contracts.errors import SettingsInvalid
from services.scoring.model.loading.base_model import BaseModel
from tests.unit.training.learnable_pairs import CONFIG, learnable_pairs
from training.configuration import load_config
from training.learning import tuning
from training.learning.fine_tuning import TrainingData
from training.learning.score_trainer import TrainingDiverged
from training.learning.tuning import (
    BEST_CONFIG_FILE,
    RESULTS_FILE,
    Grid,
    Trial,
    load_grid,
    rank_trials,
    read_trials,
)

pytestmark = pytest.mark.filterwarnings("ignore")
SEARCH = dataclasses.replace(CONFIG, validation_share=0.5, epochs=4)
GRID = Grid(learning_rate=(1e-5, 3e-2), rank=(2, 4), alpha=(8,), batch_size=(4,))


@pytest.mark.slow
def test_the_best_of_all_combinations_is_written_out(
    load_base: Callable[[], BaseModel], tmp_path: Path
) -> None:
    trials = tuning.tune(load_base, TrainingData(learnable_pairs()), tmp_path, SEARCH, GRID)

    assert len({str(trial.settings) for trial in trials}) == 4
    losses = [trial.validation_loss for trial in trials]
    assert losses == sorted(losses, key=float)  # type: ignore[arg-type]
    best = load_config(tmp_path / BEST_CONFIG_FILE)
    assert best == dataclasses.replace(SEARCH, **trials[0].settings)
    assert best.learning_rate == 3e-2  # the other one is too low to learn anything


@pytest.mark.slow
def test_an_interrupted_search_goes_on(
    load_base: Callable[[], BaseModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    num_runs = 0
    fine_tune = tuning.fine_tune

    def counted(*arguments: object, **options: object) -> object:
        nonlocal num_runs
        num_runs += 1
        if num_runs == 3:
            raise KeyboardInterrupt
        return fine_tune(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(tuning, "fine_tune", counted)
    data = TrainingData(learnable_pairs())
    with pytest.raises(KeyboardInterrupt):
        tuning.tune(load_base, data, tmp_path, SEARCH, GRID)
    with (tmp_path / RESULTS_FILE).open("a") as file:
        file.write('{"settings": {"learn')  # and the last line was cut short
    assert len(read_trials(tmp_path)) == 2
    with (tmp_path / RESULTS_FILE).open("a") as file:
        file.write("\n")

    trials = tuning.tune(load_base, data, tmp_path, SEARCH, GRID)

    assert (num_runs, len(trials)) == (5, 4)


@pytest.mark.slow
def test_a_trial_that_diverges_is_a_result_and_comes_last(
    load_base: Callable[[], BaseModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine_tune = tuning.fine_tune

    def diverge_at_a_high_rate(*arguments: object, **options: object) -> object:
        if getattr(arguments[3], "learning_rate", 0) > 1e-2:
            raise TrainingDiverged("the loss is not a number any more")
        return fine_tune(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(tuning, "fine_tune", diverge_at_a_high_rate)
    grid = dataclasses.replace(GRID, rank=(2,))

    trials = tuning.tune(load_base, TrainingData(learnable_pairs()), tmp_path, SEARCH, grid)

    assert [bool(trial.error) for trial in trials] == [False, True]
    assert load_config(tmp_path / BEST_CONFIG_FILE).learning_rate == 1e-5


def test_the_lowest_validation_loss_is_the_best() -> None:
    trials = [Trial({"rank": rank}, loss, {}) for rank, loss in ((1, 2.0), (2, None), (3, 1.0))]

    assert [trial.settings["rank"] for trial in rank_trials(trials)] == [3, 1, 2]


def test_nothing_to_compare_by_is_an_error(load_base: Callable[[], BaseModel], tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="validation_share"):
        tuning.tune(load_base, TrainingData(learnable_pairs()), tmp_path, CONFIG, GRID)


@pytest.mark.parametrize("content", ["ranks: [1]", "rank: []", "rank: [many]"])
def test_a_bad_grid_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "grid.yaml").write_text(content)

    with pytest.raises(SettingsInvalid, match="rank"):
        load_grid(tmp_path / "grid.yaml")
    assert load_grid(None) == Grid()
