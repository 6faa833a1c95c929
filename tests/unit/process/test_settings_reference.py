"""The reference of the settings holds them all, and no secret."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from services.cli.service_commands.settings import settings
from services.process.settings import Settings, variable_of
from services.process.settings.reference import all_settings, as_markdown

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_every_setting_stands_there_once_and_is_described() -> None:
    found = [each.variable for each in all_settings()]

    assert sorted(found) == sorted(map(variable_of, Settings.model_fields))
    assert [each.variable for each in all_settings() if len(each.description) < 10] == []


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == as_markdown(), "make settings"


def test_the_command_shows_values_and_hides_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCORER_GRPC_ADMIN_TOKEN", "open-sesame")
    monkeypatch.setenv("SCORER_GRPC_PORT", "7777")

    shown = CliRunner().invoke(settings).output

    assert "* SCORER_GRPC_PORT=7777" in shown
    assert "* SCORER_GRPC_ADMIN_TOKEN=(set)" in shown
    assert "  SCORER_GRPC_HOST=127.0.0.1" in shown
    assert "open-sesame" not in shown
    assert "open-sesame" not in CliRunner().invoke(settings, ["--json"]).output
