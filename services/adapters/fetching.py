"""Brings a stored adapter to this machine: bounded, of known kinds of files, every byte verified."""

import hashlib
import logging
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from fsspec import AbstractFileSystem

from services.adapters.canaries import CANARIES_FILE
from services.adapters.manifest import MANIFEST_FILE, ManifestFile, parse_manifest, verify_manifest
from services.contracts.errors import AdapterIncompatible, AdapterStoreUnreachable

#: No adapter of a served base model comes near this; a store that was tampered with might.
MAX_ADAPTER_BYTES = 4 * 1024**3
#: A manifest takes 150 bytes a file, of which there are six; it is read whole before it can be verified.
MAX_MANIFEST_BYTES = 1024**2
#: What an adapter may consist of: weights as safetensors, the rest readable text. Nothing that runs code.
ALLOWED_SUFFIXES = frozenset({".safetensors", ".json", ".md", ".model", ".jinja", ".txt"})
_DIGEST = re.compile(r"[0-9a-f]{64}")

log = logging.getLogger(__name__)


def fetch_adapter(fs: AbstractFileSystem, path: str, manifest_digest: str, cache_dir: Path) -> Path:
    """Copies a stored version to this machine and verifies every byte; a whole copy is used again.

    Args:
        path: of the version's folder in it.
        manifest_digest: SHA-256 that its manifest must have, as 64 hexadecimal digits.
        cache_dir: where copies are kept, each under its digest.

    Returns:
        The folder of the copy.

    Raises:
        AdapterIncompatible: the digest is none, or a file is missing, too large, of another kind, or differs.
        AdapterStoreUnreachable: the store cannot be read, or ``cache_dir`` cannot be written; both may pass.
    """
    if not _DIGEST.fullmatch(manifest_digest):
        raise AdapterIncompatible("the digest of an adapter's manifest must be 64 hexadecimal digits")
    target = cache_dir / manifest_digest
    if target.is_dir():
        try:
            _verify_copy(target, manifest_digest)
            return target
        except AdapterIncompatible:
            # Whoever could write it may have written its manifest, too: only the store's is right.
            log.warning("the copy of adapter %s is not what was fetched; fetching again", target.name[:12])
            shutil.rmtree(target, ignore_errors=True)
    with reaching(str(cache_dir)):
        cache_dir.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=cache_dir))
    try:
        _copy(fs, path, manifest_digest, part)
        _verify_copy(part, manifest_digest)
        _put_in_place(part, target, manifest_digest)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _put_in_place(part: Path, target: Path, manifest_digest: str) -> None:
    try:
        with reaching(str(target)):
            part.rename(target)
    except AdapterStoreUnreachable:
        # Worker and API of one machine fetch at the same moment; the slower takes what the faster has.
        if not target.is_dir():
            raise
        _verify_copy(target, manifest_digest)


def _copy(fs: AbstractFileSystem, path: str, manifest_digest: str, folder: Path) -> None:
    name = PurePosixPath(path).name
    with reaching(path):
        if fs.size(f"{path}/{MANIFEST_FILE}") > MAX_MANIFEST_BYTES:
            raise AdapterIncompatible(
                f"adapter {name}: {MANIFEST_FILE} is larger than {MAX_MANIFEST_BYTES} bytes"
            )
        content: bytes = fs.cat_file(f"{path}/{MANIFEST_FILE}")
        files = _checked_manifest(name, content, manifest_digest)
        for file, entry in files.items():
            if fs.size(f"{path}/{file}") != entry.num_bytes:
                raise AdapterIncompatible(f"adapter {name}: {file} differs from its manifest")
            fs.get_file(f"{path}/{file}", str(folder / file))
        (folder / MANIFEST_FILE).write_bytes(content)


def _verify_copy(folder: Path, manifest_digest: str) -> None:
    """Compares a copy's manifest with the digest that was announced, and all its files with the manifest.

    Raises:
        AdapterIncompatible: a file is missing, differs, or is not in the manifest.
    """
    try:
        content = (folder / MANIFEST_FILE).read_bytes()
    except OSError as error:
        raise AdapterIncompatible(f"adapter {folder.name}: {MANIFEST_FILE} is missing") from error
    files = _checked_manifest(folder.name, content, manifest_digest)
    if {path.name for path in folder.iterdir()} != {*files, MANIFEST_FILE}:
        raise AdapterIncompatible(f"adapter {folder.name}: its files are not those of its manifest")
    verify_manifest(folder)


def _checked_manifest(name: str, content: bytes, manifest_digest: str) -> dict[str, ManifestFile]:
    if hashlib.sha256(content).hexdigest() != manifest_digest:
        raise AdapterIncompatible(f"adapter {name}: {MANIFEST_FILE} has another digest than announced")
    files = parse_manifest(name, content)
    check_files(name, {file: entry.num_bytes for file, entry in files.items()})
    return files


def check_files(name: str, sizes: dict[str, int]) -> None:
    """Accepts what an adapter may consist of.

    Args:
        sizes: bytes of each file.

    Raises:
        AdapterIncompatible: a file is of another kind or in another folder, all are too large, or the
            canaries are missing, without which no scorer can tell that it computes with the right weights.
    """
    if CANARIES_FILE not in sizes:
        raise AdapterIncompatible(f"adapter {name}: {CANARIES_FILE} is missing")
    for file in sizes:
        if PurePosixPath(file).name != file or PurePosixPath(file).suffix not in ALLOWED_SUFFIXES:
            raise AdapterIncompatible(
                f"adapter {name}: {PurePosixPath(file).name} is not allowed in an adapter"
            )
    if sum(sizes.values()) > MAX_ADAPTER_BYTES:
        raise AdapterIncompatible(f"adapter {name}: larger than {MAX_ADAPTER_BYTES} bytes")


@contextmanager
def reaching(path: str) -> Iterator[None]:
    """Turns what file systems raise into the store's error.

    Args:
        path: what is being reached, for the error.
    """
    try:
        yield
    except (OSError, ImportError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise AdapterStoreUnreachable(f"adapter store, {path}: {reason}") from error
