"""Text out of resume files, and what is told of those without."""

from pathlib import Path

import pytest

from examples.publish_folder import resume_paths
from examples.resume_files import MAX_FILE_BYTES, MAX_RESUME_BYTES, UnreadableResume, read_resume
from tests.doubles.files.resume_samples import write_docx, write_encrypted_pdf, write_pdf

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_every_kind_gives_its_text(tmp_path: Path) -> None:
    write_pdf(tmp_path / "a.pdf", "Ten years of nursing")
    write_docx(tmp_path / "b.DOCX", "Five years", "Ward", "Surgery")
    (tmp_path / "c.txt").write_bytes("\ufeffKrankenpfleger für Ältere\n".encode())

    assert read_resume(tmp_path / "a.pdf") == "Ten years of nursing"
    assert read_resume(tmp_path / "b.DOCX") == "Five years\nWard\tSurgery"
    assert read_resume(tmp_path / "c.txt") == "Krankenpfleger für Ältere"


def test_an_unreadable_file_is_named_with_its_reason(tmp_path: Path) -> None:
    write_encrypted_pdf(tmp_path / "locked.pdf", "Ada")
    write_pdf(tmp_path / "scan.pdf", "")
    (tmp_path / "torn.pdf").write_bytes(b"%PDF-1.4\nAda")
    (tmp_path / "torn.docx").write_bytes(b"PK\x03\x04Ada")
    (tmp_path / "latin.txt").write_bytes(b"Ada \xe4")
    (tmp_path / "long.txt").write_text("Ada " * (MAX_RESUME_BYTES // 4 + 1))
    (tmp_path / "huge.txt").write_bytes(b"\0" * (MAX_FILE_BYTES + 1))
    (tmp_path / "photo.png").write_bytes(b"Ada")
    reasons = {
        "locked.pdf": "password",
        "scan.pdf": "OCR",
        "torn.pdf": "cannot be read",
        "torn.docx": "cannot be read",
        "latin.txt": "UnicodeDecodeError",
        "long.txt": str(MAX_RESUME_BYTES),
        "huge.txt": str(MAX_FILE_BYTES),
        "photo.png": ".docx, .pdf, .txt",
        "absent.txt": "FileNotFoundError",
    }

    for name, reason in reasons.items():
        with pytest.raises(UnreadableResume, match=reason) as refused:
            read_resume(tmp_path / name)
        assert name in str(refused.value)
        assert "Ada" not in str(refused.value)


def test_two_files_of_one_id_are_refused(tmp_path: Path) -> None:
    for name in ("a.txt", "a.pdf", "b.txt"):
        (tmp_path / name).touch()

    with pytest.raises(SystemExit, match="a.pdf"):
        resume_paths(tmp_path)
