from pathlib import Path

import pytest

from services.contracts.errors import SettingsInvalid
from training.configuration import FineTuningConfig, load_config


def test_what_the_file_does_not_name_keeps_its_default(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("learning_rate: 1.0e-5\nepochs: 1\n")

    config = load_config(tmp_path / "config.yaml")

    assert (config.learning_rate, config.epochs, config.rank) == (1e-5, 1.0, FineTuningConfig().rank)
    assert load_config(None) == FineTuningConfig()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("lerning_rate: 1", "lerning_rate"),
        ("rank: many", "rank"),
        ("[1]", "no mapping"),
        ("rank: 0", "rank: .*greater than or equal to 1"),
        ("tasks: [cooking]", "tasks"),
        ("{cross_entropy_weight: 0, squared_error_weight: 0, ranking_weight: 0}", "nothing to learn"),
        ("a: [", "no readable YAML"),
    ],
)
def test_a_bad_key_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "config.yaml").write_text(content)

    with pytest.raises(SettingsInvalid, match=complaint):
        load_config(tmp_path / "config.yaml")
