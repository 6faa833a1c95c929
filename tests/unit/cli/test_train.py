"""What ``train`` does with the folder that it is to write to, before it reads anything else."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from services.adapters.adapter_folder import WEIGHTS_FILE
from services.adapters.manifest import MANIFEST_FILE
from services.cli.training_commands.train import train
from services.contracts.errors import InvalidInput


def train_into(folder: Path, *options: str) -> tuple[str, BaseException | None]:
    """Returns what was printed and raised; there is no data, so it never goes on for long."""
    result = CliRunner().invoke(
        train, ["--data", str(folder / "none.jsonl"), "--output", str(folder), *options]
    )
    return result.output, result.exception


def test_an_adapter_of_another_tool_is_not_overwritten_either(tmp_path: Path) -> None:
    (tmp_path / WEIGHTS_FILE).write_bytes(b"weights")

    printed, _ = train_into(tmp_path)

    assert "holds a finished adapter; --overwrite replaces it" in printed


@pytest.mark.parametrize("option", ["--resume", "--overwrite"])
def test_a_run_that_ended_amid_writing_its_adapter_may_go_on(tmp_path: Path, option: str) -> None:
    # The weights are the last file that is moved into place.
    (tmp_path / MANIFEST_FILE).write_text("{}")

    _, raised = train_into(tmp_path, option)

    assert isinstance(raised, InvalidInput)  # it got as far as reading the data


def test_a_finished_adapter_is_replaced_when_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / WEIGHTS_FILE).write_bytes(b"weights")

    _, raised = train_into(tmp_path, "--overwrite")

    assert isinstance(raised, InvalidInput)
