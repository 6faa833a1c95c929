"""The manifest of an adapter folder: every file with its SHA-256, so that a damaged copy is noticed."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from services.contracts.errors import AdapterIncompatible

MANIFEST_FILE = "manifest.json"
_FORMAT = 1
#: What reading JSON of any content can raise: deep nesting and infinite numbers included.
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file of an adapter.

    Attributes:
        sha256: of its bytes, in hexadecimal.
        num_bytes: its size.
    """

    sha256: str
    num_bytes: int


def write_manifest(folder: Path) -> Path:
    """Writes the manifest of all files that lie in a folder.

    Returns:
        The manifest's path.
    """
    files = {
        path.name: {"sha256": _sha256(path), "num_bytes": path.stat().st_size}
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != MANIFEST_FILE
    }
    path = folder / MANIFEST_FILE
    path.write_text(json.dumps({"format": _FORMAT, "files": files}, indent=2) + "\n", "utf-8")
    return path


def read_manifest(folder: Path) -> dict[str, ManifestFile]:
    """Reads the manifest of a folder.

    Returns:
        Its files by name.

    Raises:
        AdapterIncompatible: there is none, it is damaged, or of another format.
    """
    try:
        content = (folder / MANIFEST_FILE).read_bytes()
    except OSError as error:
        raise AdapterIncompatible(f"adapter {folder.name}: {MANIFEST_FILE} is missing") from error
    return parse_manifest(folder.name, content)


def parse_manifest(adapter: str, content: bytes) -> dict[str, ManifestFile]:
    """Reads a manifest's content; see ``read_manifest``.

    Args:
        adapter: the name that errors give.
    """
    try:
        manifest = json.loads(content)
        if manifest["format"] != _FORMAT:
            raise AdapterIncompatible(f"adapter {adapter}: {MANIFEST_FILE} has another format")
        files = {
            name: ManifestFile(str(entry["sha256"]), int(entry["num_bytes"]))
            for name, entry in manifest["files"].items()
        }
        if any(entry.num_bytes < 0 for entry in files.values()):
            raise ValueError("a negative size would make room for others")
        return files
    except MALFORMED as error:
        raise AdapterIncompatible(f"adapter {adapter}: {MANIFEST_FILE} is damaged") from error


def verify_manifest(folder: Path) -> None:
    """Compares every file that the manifest names with its digest.

    Raises:
        AdapterIncompatible: a file is missing or differs; names it.
    """
    for name, expected in read_manifest(folder).items():
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise AdapterIncompatible(f"adapter {folder.name}: {name} is missing")
        if path.stat().st_size != expected.num_bytes or _sha256(path) != expected.sha256:
            raise AdapterIncompatible(f"adapter {folder.name}: {name} differs from its manifest")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
