"""Brings a stored adapter to this machine: bounded, of known kinds of files, every byte verified."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from fsspec.core import url_to_fs

from services.adapters.manifest import MANIFEST_FILE, parse_manifest, verify_manifest
from services.contracts.errors import AdapterIncompatible, AdapterStoreUnreachable

#: No adapter of a served base model comes near this; a store that was tampered with might.
MAX_ADAPTER_BYTES = 4 * 1024**3
#: A manifest takes 150 bytes a file, of which there are six; it is read whole before it can be verified.
MAX_MANIFEST_BYTES = 1024**2
#: What an adapter may consist of: weights as safetensors, the rest readable text. Nothing that runs code.
ALLOWED_SUFFIXES = frozenset({".safetensors", ".json", ".md", ".model", ".jinja", ".txt"})


def fetch_adapter(uri: str, manifest_digest: str, cache_dir: Path) -> Path:
    """Copies a stored version to this machine and verifies every byte; a copy that is there is used again.

    Args:
        uri: of the version's folder.
        manifest_digest: SHA-256 that its manifest must have.
        cache_dir: where copies are kept.

    Returns:
        The folder of the copy.

    Raises:
        AdapterIncompatible: a file is missing, too large, of another kind, or differs.
        AdapterStoreUnreachable: the store cannot be read, or ``cache_dir`` cannot be written; both may pass.
    """
    target = cache_dir / manifest_digest
    if target.is_dir():
        verify_manifest(target)
        return target
    with reaching(str(cache_dir)):
        cache_dir.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=cache_dir))
    try:
        _copy(uri, manifest_digest, part)
        verify_manifest(part)
        try:
            part.rename(target)
        except OSError:
            # Worker and API of one machine fetch at the same moment; the slower takes what the faster has.
            if not target.is_dir():
                raise
            verify_manifest(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _copy(uri: str, manifest_digest: str, folder: Path) -> None:
    name = PurePosixPath(uri).name
    with reaching(uri):
        fs, place = url_to_fs(uri)
        if fs.size(f"{place}/{MANIFEST_FILE}") > MAX_MANIFEST_BYTES:
            raise AdapterIncompatible(
                f"adapter {name}: {MANIFEST_FILE} is larger than {MAX_MANIFEST_BYTES} bytes"
            )
        content: bytes = fs.cat_file(f"{place}/{MANIFEST_FILE}")
        if hashlib.sha256(content).hexdigest() != manifest_digest:
            raise AdapterIncompatible(f"adapter {name}: {MANIFEST_FILE} has another digest than announced")
        files = parse_manifest(name, content)
        check_files(name, {file: entry.num_bytes for file, entry in files.items()})
        for file, entry in files.items():
            if fs.size(f"{place}/{file}") != entry.num_bytes:
                raise AdapterIncompatible(f"adapter {name}: {file} differs from its manifest")
            fs.get_file(f"{place}/{file}", str(folder / file))
        (folder / MANIFEST_FILE).write_bytes(content)


def check_files(name: str, sizes: dict[str, int]) -> None:
    """Accepts what an adapter may consist of.

    Args:
        name: the adapter's, for errors.
        sizes: bytes of each file.

    Raises:
        AdapterIncompatible: a file is of another kind or in another folder, or all are too large.
    """
    for file in sizes:
        if PurePosixPath(file).name != file or PurePosixPath(file).suffix not in ALLOWED_SUFFIXES:
            raise AdapterIncompatible(
                f"adapter {name}: {PurePosixPath(file).name} is not allowed in an adapter"
            )
    if sum(sizes.values()) > MAX_ADAPTER_BYTES:
        raise AdapterIncompatible(f"adapter {name}: larger than {MAX_ADAPTER_BYTES} bytes")


@contextmanager
def reaching(place: str) -> Iterator[None]:
    """Turns what file systems raise into the store's error.

    Args:
        place: what is being reached, for the error.
    """
    try:
        yield
    except (OSError, ImportError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise AdapterStoreUnreachable(f"adapter store, {place}: {reason}") from error
