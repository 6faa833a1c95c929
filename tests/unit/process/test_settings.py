from pathlib import Path

import pytest
from pydantic import ValidationError

from services.contracts.errors import SettingsInvalid
from services.process.settings import load_settings


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "scorer.toml"
    file.write_text('grpc_port = 1111\nworker_group = "from-file"\n')
    monkeypatch.setenv("SCORER_CONFIG_FILE", str(file))
    monkeypatch.setenv("SCORER_GRPC_PORT", "2222")

    settings = load_settings()

    assert (settings.grpc_port, settings.worker_group) == (2222, "from-file")
    assert load_settings(grpc_port=3333).grpc_port == 3333


@pytest.mark.parametrize("level", ["info", "Info", "INFO"])
def test_the_log_level_may_be_written_in_any_case(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    monkeypatch.setenv("SCORER_LOG_LEVEL", level)

    assert load_settings().log_level == "INFO"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SCORER_LOG_LEVEL", "loud"),
        ("SCORER_GRPC_PORT", "seventy"),
        ("SCORER_GRPC_PORT", "70000"),
        ("SCORER_QUANTIZATION", "int3"),
        ("SCORER_BATCHING_WINDOW_SECONDS", "-1"),
        ("SCORER_NO_SUCH_THING", "1"),
    ],
)
def test_a_bad_or_unknown_variable_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsInvalid, match=variable):
        load_settings()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("grpc_prot = 1", "SCORER_GRPC_PROT"),
        ("grpc_port = [", "SCORER_CONFIG_FILE"),
        (None, "there is no file"),
    ],
)
def test_a_bad_file_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, complaint: str
) -> None:
    file = tmp_path / "scorer.toml"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("SCORER_CONFIG_FILE", str(file))

    with pytest.raises(SettingsInvalid, match=complaint):
        load_settings()


def test_settings_are_frozen_and_passwords_do_not_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCORER_KAFKA_SASL_PASSWORD", "tr0ub4dor")

    settings = load_settings()

    assert "tr0ub4dor" not in repr(settings)
    with pytest.raises(ValidationError, match="frozen"):
        settings.grpc_port = 1


def test_an_error_does_not_repeat_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCORER_LOG_LEVEL", "tr0ub4dor")

    with pytest.raises(SettingsInvalid) as caught:
        load_settings()

    assert "tr0ub4dor" not in str(caught.value)
