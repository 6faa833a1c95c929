"""The recipes that come with the project can be read and say what they are for."""

from pathlib import Path

import pytest

import training
from training.configuration import FineTuningConfig, load_config

RECIPES = sorted((Path(training.__file__).parent / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_a_valid_config_with_a_comment(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# ")
    assert load_config(path) != FineTuningConfig()


def test_there_are_recipes() -> None:
    assert {"guide", "online"} <= {path.stem for path in RECIPES}
