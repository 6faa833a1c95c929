"""Tokens end with their file: not at once, and not never."""

from pathlib import Path

import pytest

from services.contracts.errors import SettingsInvalid
from services.scoring_api.access import tokens_file
from services.scoring_api.access.tokens_file import TokensFile, read_tokens_file, token_digest
from tests.doubles.clock import Clock

GRACE_SECONDS = 300.0
CONTENT = f'[callers.ats]\ntoken_sha256 = "{token_digest("secret").hex()}"\nscopes = ["score"]\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.toml"
    path.write_text(CONTENT)
    return path


@pytest.mark.parametrize("slip", ["removed", "broken", "a folder"])
def test_the_last_good_state_counts_for_a_while_and_then_nobody_is_known(path: Path, slip: str) -> None:
    clock = Clock()
    file = TokensFile(path, GRACE_SECONDS, clock)
    path.unlink()
    if slip == "broken":
        path.write_text("[callers.ats")
    elif slip == "a folder":
        path.mkdir()

    assert file.callers == {token_digest("secret"): file.callers[token_digest("secret")]}  # type: ignore[index]
    assert file.is_failing
    clock.now = GRACE_SECONDS - 1
    assert file.callers
    clock.now = GRACE_SECONDS
    assert file.callers is None


def test_a_file_that_is_there_again_counts_at_once(path: Path) -> None:
    clock = Clock()
    file = TokensFile(path, GRACE_SECONDS, clock)
    path.unlink()
    assert file.is_failing
    clock.now = 2 * GRACE_SECONDS
    assert file.callers is None

    path.write_text(CONTENT)

    assert file.callers
    assert not file.is_failing


def test_a_file_that_could_not_be_opened_is_tried_again_though_it_is_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    file = TokensFile(path, GRACE_SECONDS, clock)

    def out_of_descriptors(_path: Path) -> None:
        raise SettingsInvalid("too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(tokens_file, "read_tokens_file", out_of_descriptors)
        path.write_text(CONTENT + "\n")
        assert file.is_failing
    clock.now = 1.0

    assert not file.is_failing
    assert file.callers == read_tokens_file(path)


def test_rights_that_change_are_noticed(path: Path) -> None:
    before = tokens_file.stamp_of(path)

    path.chmod(0o000)

    assert tokens_file.stamp_of(path) != before
