"""``audit-log verify`` says of each file whether its chain is whole, and where it is not."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.cli.audit_commands.audit_log import audit_log
from services.contracts.scoring import PairRequest
from services.process.audit_log import AuditLog
from tests.doubles.scorer import fake_score

REQUEST = PairRequest("application-1", "A job", "A resume")


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """A file of three lines."""
    log = AuditLog(tmp_path, "worker", 10_000)
    for _ in range(3):
        await log.note("ats", "kafka", REQUEST, fake_score(REQUEST))
    await log.close()
    (path,) = tmp_path.iterdir()
    return path


def verify(*files: Path) -> Result:
    return CliRunner().invoke(audit_log, ["verify", *map(str, files)])


def test_a_whole_chain_is_counted(file: Path) -> None:
    answer = verify(file)

    assert (answer.exit_code, answer.stdout) == (0, f"{file}: 3 lines, chain whole\n")


@pytest.mark.parametrize("second", [b'{"previous_sha256": ""}', b"{}", b"[1]", b"{", b"\xff"])
def test_a_broken_one_is_named_with_its_line_and_the_others_are_checked_all_the_same(
    file: Path, tmp_path: Path, second: bytes
) -> None:
    broken = tmp_path / "broken.jsonl"
    lines = file.read_bytes().splitlines()
    broken.write_bytes(b"\n".join([lines[0], second, *lines[2:], b""]))

    answer = verify(broken, file)

    assert answer.exit_code == 1
    assert answer.stderr == f"resume-scorer: {broken}: line 2 does not follow the one before it\n"
    assert answer.stdout == f"{file}: 3 lines, chain whole\n"


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    assert verify(tmp_path / "none").exit_code == 2
    assert verify().exit_code == 2
