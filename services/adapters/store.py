"""The adapter store: immutable versions and the order of their activation, on any fsspec file system.

Layout below the root::

    versions/<version>/<files of the adapter>   never changed
    versions/<version>/manifest.json            written last: without it there is no version
    activations.json                            versions in the order of their activation, latest last
"""

import hashlib
import json
import posixpath
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from services.adapters.adapter_folder import METADATA_FILE, read_adapter
from services.adapters.canaries import read_canaries
from services.adapters.fetching import check_files, fetch_adapter, reaching
from services.adapters.manifest import MALFORMED, MANIFEST_FILE, read_manifest, verify_manifest
from services.contracts.errors import AdapterIncompatible, AdapterNotFound, AdapterStoreUnreachable

ACTIVATIONS_FILE = "activations.json"
_VERSION_DIGEST_CHARACTERS = 8
_MAX_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class StoredAdapter:
    """One version in the store.

    Attributes:
        version: its name.
        uri: where its folder lies.
        manifest_digest: SHA-256 of its manifest, in hexadecimal.
        adapter_digest: what results computed with it name.
        base_model: the base model it was trained on.
        prompt_version: the prompt it was trained with.
        published_at: when, in UTC.
        metrics: figures of its evaluation.
    """

    version: str
    uri: str
    manifest_digest: str
    adapter_digest: str
    base_model: str
    prompt_version: str
    published_at: datetime
    metrics: dict[str, float]


class AdapterStore:
    """Keeps adapters.

    Args:
        url: root folder, local or as an fsspec URL (``s3://bucket/path``, ``gs://bucket/path``), whose
            file system package must be installed.

    Raises:
        AdapterStoreUnreachable: there is no such file system.
    """

    def __init__(self, url: str) -> None:
        try:
            self._fs, root = url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise AdapterStoreUnreachable(f"adapter store {url}: {error}") from error
        # One spelling, as announcements are compared as text. In an object store "a//b" is another path.
        self._root: str = posixpath.normpath(root) if isinstance(self._fs, LocalFileSystem) else root

    def publish(self, folder: Path, metrics: dict[str, float] | None = None) -> StoredAdapter:
        """Stores an exported adapter as a new version; the same content is stored once.

        Args:
            folder: an adapter with its manifest, as ``resume-scorer train`` writes it.
            metrics: figures of the evaluation that let it pass.

        Raises:
            AdapterIncompatible: the folder is no whole adapter or holds a file of another kind.
            AdapterStoreUnreachable: the store cannot be written.
        """
        adapter = read_adapter(folder)
        verify_manifest(folder)
        files = read_manifest(folder)
        check_files(folder.name, {name: entry.num_bytes for name, entry in files.items()})
        read_canaries(folder)
        for stored in self.versions():
            if stored.adapter_digest == adapter.digest:
                return stored
        published_at = datetime.now(UTC)
        version = f"{published_at:%Y%m%dT%H%M%S}-{adapter.digest[:_VERSION_DIGEST_CHARACTERS]}"
        manifest = json.loads((folder / MANIFEST_FILE).read_text("utf-8")) | {
            "version": version,
            "adapter_digest": adapter.digest,
            "base_model": _base_model(folder),
            "prompt_version": adapter.prompt_version,
            "published_at": published_at.isoformat(),
            "metrics": metrics or {},
        }
        path = self._path_of(version)
        with reaching(path):
            self._fs.makedirs(path, exist_ok=True)
            for name in files:
                self._fs.put_file(str(folder / name), f"{path}/{name}")
            # Last, and in one step: a crash before it leaves no version.
            self._write(f"{path}/{MANIFEST_FILE}", json.dumps(manifest, indent=2) + "\n")
        return self.find(version)

    def versions(self) -> list[StoredAdapter]:
        """Returns all versions, newest first.

        Raises:
            AdapterStoreUnreachable: the store cannot be read.
        """
        with reaching(self._root):
            self._fs.invalidate_cache()
            if not self._fs.isdir(f"{self._root}/versions"):
                return []
            names = [PurePosixPath(path).name for path in self._fs.ls(f"{self._root}/versions", detail=False)]
            whole = [name for name in names if self._fs.isfile(f"{self._path_of(name)}/{MANIFEST_FILE}")]
        return [self.find(name) for name in sorted(whole, reverse=True)]

    def find(self, version: str) -> StoredAdapter:
        """Returns a version.

        Raises:
            AdapterNotFound: the store has none of this name.
            AdapterIncompatible: its manifest is damaged.
            AdapterStoreUnreachable: the store cannot be read.
        """
        path = self._path_of(version)
        with reaching(path):
            try:
                content: bytes = self._fs.cat_file(f"{path}/{MANIFEST_FILE}")
            except FileNotFoundError as error:
                raise AdapterNotFound(f"the adapter store has no version {version}") from error
        try:
            manifest = json.loads(content)
            return StoredAdapter(
                version=version,
                uri=self._fs.unstrip_protocol(path),
                manifest_digest=hashlib.sha256(content).hexdigest(),
                adapter_digest=str(manifest["adapter_digest"]),
                base_model=str(manifest["base_model"]),
                prompt_version=str(manifest["prompt_version"]),
                published_at=datetime.fromisoformat(manifest["published_at"]),
                metrics={name: float(value) for name, value in manifest["metrics"].items()},
            )
        except MALFORMED as error:
            raise AdapterIncompatible(f"adapter {version}: {MANIFEST_FILE} is damaged") from error

    def fetch(self, uri: str, manifest_digest: str, cache_dir: Path) -> Path:
        """Brings a version to this machine, every byte verified.

        Args:
            uri: of the version's folder, as it was announced.
            manifest_digest: SHA-256 that its manifest must have.
            cache_dir: where copies are kept.

        Raises:
            AdapterIncompatible: the folder is none of this store's, or its files are not what was announced.
            AdapterStoreUnreachable: the store cannot be read, or ``cache_dir`` cannot be written.
        """
        # Compared as text: nothing of what a record names is opened, or even looked up, elsewhere.
        versions = f"{self._fs.unstrip_protocol(f'{self._root}/versions')}/"
        version = uri.removeprefix(versions)
        if version == uri or not _is_version(version):
            shown = uri[:_MAX_SHOWN_CHARACTERS]
            raise AdapterIncompatible(f"announced at {shown}: no version of the adapter store {versions}")
        return fetch_adapter(self._fs, self._path_of(version), manifest_digest, cache_dir)

    def activations(self) -> list[str]:
        """Returns the activated versions, latest last, as far as none was rolled back."""
        with reaching(self._root):
            try:
                content: bytes = self._fs.cat_file(f"{self._root}/{ACTIVATIONS_FILE}")
            except FileNotFoundError:
                return []
        try:
            return [str(version) for version in json.loads(content)]
        except MALFORMED as error:
            raise AdapterStoreUnreachable(f"adapter store: {ACTIVATIONS_FILE} is damaged") from error

    def note_activation(self, version: str) -> None:
        """Notes that a version is the active one from now on."""
        activations = self.activations()
        if activations[-1:] != [version]:
            self.set_activations([*activations, version])

    def note_rollback(self) -> str | None:
        """Takes the latest activation back.

        Returns:
            The version that is active again, or None for the adapter that the scorers start with.

        Raises:
            AdapterNotFound: nothing was activated.
        """
        activations = self.activations()
        if not activations:
            raise AdapterNotFound("no adapter was activated, so there is nothing to roll back")
        self.set_activations(activations[:-1])
        return activations[-2] if len(activations) > 1 else None

    def set_activations(self, versions: list[str]) -> None:
        """Replaces the order of activations, as when one could not be announced."""
        with reaching(self._root):
            self._fs.makedirs(self._root, exist_ok=True)
            self._write(f"{self._root}/{ACTIVATIONS_FILE}", json.dumps(versions) + "\n")

    def remove_all_but(self, num_kept: int) -> list[str]:
        """Removes old versions; the active one and the one before it always stay.

        Returns:
            The removed versions.
        """
        protected = set(self.activations()[-2:])
        removed = [stored.version for stored in self.versions()[num_kept:] if stored.version not in protected]
        for version in removed:
            with reaching(version):
                # The manifest first: a half-removed version is none.
                self._fs.rm_file(f"{self._path_of(version)}/{MANIFEST_FILE}")
                self._fs.rm(self._path_of(version), recursive=True)
        return removed

    def _path_of(self, version: str) -> str:
        if not _is_version(version):
            raise AdapterNotFound("the adapter store has no version of this name")
        return f"{self._root}/versions/{version}"

    def _write(self, path: str, text: str) -> None:
        # A rename is one step on a disk; an object store shows an object only once it is whole.
        self._fs.pipe_file(f"{path}.part", text.encode())
        self._fs.mv(f"{path}.part", path)


def _is_version(name: str) -> bool:
    return bool(name) and PurePosixPath(name).name == name and name not in (".", "..")


def _base_model(folder: Path) -> str:
    path = folder / METADATA_FILE
    try:
        return str(json.loads(path.read_text("utf-8"))["base_model"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdapterIncompatible(f"adapter {folder.name}: {METADATA_FILE} names no base model") from error
