"""``adapters average`` writes an adapter from two or more."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.adapters.manifest import verify_manifest
from services.cli.__main__ import cli
from tests.doubles.adapters import make_adapter
from tests.doubles.models import TINY_MODEL

pytestmark = pytest.mark.filterwarnings("ignore")


def average(output: Path, *folders: Path) -> Result:
    options = [option for folder in folders for option in ("--adapter", str(folder))]
    variables = {"SCORER_BASE_MODEL": TINY_MODEL, "SCORER_DTYPE": "float32", "SCORER_DEVICE": "cpu"}
    return CliRunner().invoke(cli, ["adapters", "average", *options, "--output", str(output)], env=variables)


def test_two_become_one(tmp_path: Path, cache_dir: Path) -> None:
    folders = [make_adapter(tmp_path / str(seed), cache_dir, seed) for seed in (1, 2)]

    answer = average(tmp_path / "mean", *folders)

    assert (answer.exit_code, answer.stdout) == (0, f"adapter: {tmp_path / 'mean'}\n"), answer.exception
    verify_manifest(tmp_path / "mean")


def test_one_is_too_few(tmp_path: Path) -> None:
    answer = average(tmp_path / "mean", tmp_path)

    assert answer.exit_code == 2
    assert "--adapter: two or more are needed" in answer.output
