import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.cli.service_commands.trainer import trainer
from services.training_service.database import Database
from services.training_service.labels.intake_records import Label
from services.training_service.labels.label_store import LabelStore
from services.training_service.runs.run_store import RunState, RunStore


@pytest.fixture
def _quarantined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCORER_TRAINER_DIR", str(tmp_path))
    with closing(Database(tmp_path)) as database:
        runs = RunStore(database)
        LabelStore(database, 0.0).apply([Label(name, "r-1", 60.0, 1.0, "R", "J") for name in "ab"], {})
        for _ in range(2):
            runs.finish(runs.create("test"), RunState.REJECTED, "worse")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(trainer, arguments)


def names() -> list[str]:
    listed = run("quarantine", "list", "--json")
    return [json.loads(line)["application_id"] for line in listed.stdout.splitlines()]


@pytest.mark.usefixtures("_quarantined")
def test_labels_in_quarantine_are_listed_and_released() -> None:
    assert names() == ["a", "b"]
    assert "a  rater r-1" in run("quarantine", "list").stdout

    assert run("quarantine", "release", "a").exit_code == 0
    assert names() == ["b"]
    assert run("quarantine", "release", "--all").exit_code == 0
    assert names() == []


@pytest.mark.usefixtures("_quarantined")
@pytest.mark.parametrize("arguments", [(), ("a", "--all")])
def test_a_release_says_either_whom_or_all(arguments: tuple[str, ...]) -> None:
    refused = run("quarantine", "release", *arguments)

    assert refused.exit_code == 2
    assert "name applications, or say --all" in refused.output


@pytest.mark.usefixtures("_quarantined")
def test_the_status_counts_what_is_in_quarantine() -> None:
    assert json.loads(run("status", "--json").stdout)["labels"]["num_quarantined"] == 2
