"""Text out of resume files: PDF, DOCX and TXT."""

from collections.abc import Callable
from pathlib import Path

import docx
import pypdf
from docx.opc.exceptions import PackageNotFoundError
from pypdf.errors import PyPdfError

MAX_FILE_BYTES = 10 * 1024**2
MAX_PAGES = 50
MAX_RESUME_BYTES = 262_144  # what events.proto allows


class UnreadableResume(Exception):
    """A file holds no usable text; the message names the file and the reason, and nothing of its text."""


def read_resume(path: Path) -> str:
    """Returns the text of a resume.

    Raises:
        UnreadableResume: the file is too large, damaged, encrypted, of another kind, or holds no text.
    """
    read = READERS.get(path.suffix.lower())
    if read is None:
        raise UnreadableResume(f"{path}: only {', '.join(sorted(READERS))} can be read")
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UnreadableResume(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        text = read(path).strip()
    except UnreadableResume:
        raise
    # The libraries raise all of these for damaged files; their words may quote the file.
    except (
        PyPdfError,
        PackageNotFoundError,
        OSError,
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
    ) as error:
        raise UnreadableResume(f"{path}: cannot be read ({type(error).__name__})") from error
    if not text:
        raise UnreadableResume(f"{path}: holds no text; if it is a scan, run OCR on it first")
    if len(text.encode()) > MAX_RESUME_BYTES:
        raise UnreadableResume(f"{path}: its text is larger than {MAX_RESUME_BYTES} bytes")
    return text


def _read_pdf(path: Path) -> str:
    reader = pypdf.PdfReader(path)
    if reader.is_encrypted and not reader.decrypt(""):
        raise UnreadableResume(f"{path}: is encrypted with a password")
    if len(reader.pages) > MAX_PAGES:
        raise UnreadableResume(f"{path}: has more than {MAX_PAGES} pages")
    return "\n".join(page.extract_text() for page in reader.pages)


def _read_docx(path: Path) -> str:
    lines = []
    for part in docx.Document(str(path)).iter_inner_content():
        if isinstance(part, docx.text.paragraph.Paragraph):
            lines.append(part.text)
        else:  # many resumes are laid out as a table
            lines += ["\t".join(cell.text for cell in row.cells) for row in part.rows]
    return "\n".join(lines)


def _read_txt(path: Path) -> str:
    return path.read_text("utf-8-sig")


READERS: dict[str, Callable[[Path], str]] = {".pdf": _read_pdf, ".docx": _read_docx, ".txt": _read_txt}
