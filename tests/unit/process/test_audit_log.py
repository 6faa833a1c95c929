"""Every score has its line, in a chain that shows changes; what cannot be written is said."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from services.contracts.errors import AuditLogUnwritable, SettingsInvalid
from services.contracts.scoring import PairRequest
from services.process.audit_log import AuditLog, NoAudit, input_digest, open_audit_log, verify_file
from services.process.settings import Settings
from tests.doubles.files.full_folder import FullFolder
from tests.doubles.scorer import fake_score

REQUEST = PairRequest("application-1", "A job for nurses", "Maria Example, nurse")
SCORE = fake_score(REQUEST)


def entries_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]


async def test_a_line_says_who_asked_for_what_and_what_came_out_and_holds_no_text(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, "scoring-api", 10_000)
    await audit.note("ats", "score", REQUEST, SCORE)
    await audit.close()

    (entry,) = entries_of(tmp_path)
    assert (entry["caller"], entry["entrypoint"], entry["service"]) == ("ats", "score", "scoring-api")
    assert (entry["application_id"], entry["input_sha256"]) == ("application-1", input_digest(REQUEST))
    assert (entry["score"], entry["category"]) == (SCORE.score, SCORE.category)
    assert (entry["adapter_digest"], entry["prompt_version"]) == ("base", "fake")
    assert entry["time"].endswith("+00:00")
    assert "Maria" not in json.dumps(entry)
    assert "nurse" not in json.dumps(entry)


async def test_many_at_once_are_all_written_in_one_chain(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, "worker", 10_000_000)
    await asyncio.gather(
        *(audit.note("ats", "kafka", PairRequest(f"a-{n}", "j", "r"), SCORE) for n in range(500))
    )
    await audit.close()

    (path,) = tmp_path.iterdir()
    assert {entry["application_id"] for entry in entries_of(tmp_path)} == {f"a-{n}" for n in range(500)}
    assert verify_file(path) == 500
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("change", ["edit", "remove", "insert"])
async def test_a_change_in_the_middle_shows(tmp_path: Path, change: str) -> None:
    audit = AuditLog(tmp_path, "worker", 10_000)
    for number in range(3):
        await audit.note("ats", "kafka", PairRequest(f"a-{number}", "j", "r"), SCORE)
    await audit.close()
    (path,) = tmp_path.iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    changed = {
        "edit": [lines[0], lines[1].replace(b"a-1", b"a-9"), lines[2]],
        "remove": [lines[0], lines[2]],
        "insert": [lines[0], lines[0], *lines[1:]],
    }[change]
    path.write_bytes(b"".join(changed))

    with pytest.raises(ValueError, match="does not follow"):
        verify_file(path)


async def test_a_full_file_is_followed_by_the_next_and_none_is_touched_again(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, "worker", max_file_bytes=1)
    for number in range(4):
        await audit.note("ats", "kafka", PairRequest(f"a-{number}", "j", "r"), SCORE)
    await audit.close()

    assert len(list(tmp_path.iterdir())) == 4
    assert [entry["application_id"] for entry in entries_of(tmp_path)] == ["a-0", "a-1", "a-2", "a-3"]


async def test_a_full_disk_is_told_and_the_next_line_goes_to_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[int] = []
    audit = AuditLog(tmp_path, "worker", 10_000, lambda: failures.append(1))
    await audit.note("ats", "kafka", REQUEST, SCORE)
    real_write = os.write

    def half(file: int, content: Any) -> int:
        if len(content) > 100:
            return real_write(file, content[:100])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.write", half)
        with pytest.raises(AuditLogUnwritable, match="No space left"):
            await audit.note("ats", "kafka", PairRequest("a-2", "j", "r"), SCORE)
    await audit.note("ats", "kafka", PairRequest("a-3", "j", "r"), SCORE)
    await audit.close()

    first, second = sorted(tmp_path.iterdir())
    assert failures
    assert verify_file(first) == 1  # the half line does not count
    assert json.loads(second.read_text())["application_id"] == "a-3"


async def test_a_full_disk_leaves_no_file_for_each_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = AuditLog(tmp_path, "worker", 10_000)
    await audit.note("ats", "kafka", REQUEST, SCORE)
    FullFolder(tmp_path, monkeypatch)

    for number in range(30):
        with pytest.raises(AuditLogUnwritable):
            await audit.note("ats", "kafka", PairRequest(f"a-{number}", "j", "r"), SCORE)
    await audit.close()

    (path,) = tmp_path.iterdir()
    assert verify_file(path) == 1


async def test_a_log_that_cannot_be_written_says_so_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.process.audit_log.TRIAL_SECONDS", 0.01)
    audit = AuditLog(tmp_path, "worker", 10_000)
    assert audit.is_writable
    disk = FullFolder(tmp_path, monkeypatch)
    with pytest.raises(AuditLogUnwritable):
        await audit.note("ats", "kafka", REQUEST, SCORE)
    await asyncio.sleep(0.1)
    assert not audit.is_writable

    disk.is_full = False
    async with asyncio.timeout(3):
        while not audit.is_writable:
            await asyncio.sleep(0.01)
    await audit.note("ats", "kafka", REQUEST, SCORE)
    await audit.close()
    (path,) = tmp_path.iterdir()
    assert verify_file(path) == 1


async def test_a_caller_that_leaves_takes_nobody_with_it(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, "worker", 10_000)
    leaving = asyncio.create_task(audit.note("ats", "kafka", REQUEST, SCORE))
    await asyncio.sleep(0)
    leaving.cancel()
    await audit.note("ats", "kafka", PairRequest("a-2", "j", "r"), SCORE)
    await audit.close()

    assert len(entries_of(tmp_path)) == 2


def test_texts_of_a_pair_cannot_be_shifted_without_another_digest() -> None:
    assert input_digest(PairRequest("x", "ab", "c")) != input_digest(PairRequest("x", "a", "bc"))
    assert input_digest(PairRequest("x", "a", "\ud800"))


def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsInvalid, match="SCORER_AUDIT_LOG_DIR"):
        open_audit_log(Settings(audit_log_dir=str(tmp_path / "file" / "x")), "worker", lambda: None)


def test_without_a_folder_nothing_is_written() -> None:
    assert isinstance(open_audit_log(Settings(), "worker", lambda: None), NoAudit)
