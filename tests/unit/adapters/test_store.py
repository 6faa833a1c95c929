"""The adapter store on a disk and in fsspec's memory: whole versions or none, in their order, verified."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from services.adapters import fetching
from services.adapters import store as store_module
from services.adapters.adapter_folder import WEIGHTS_FILE, read_adapter
from services.adapters.canaries import CANARIES_FILE, read_canaries
from services.adapters.manifest import MANIFEST_FILE, parse_manifest, verify_manifest, write_manifest
from services.adapters.store import AdapterStore, StoredAdapter
from services.contracts.adapters import Canary
from services.contracts.errors import AdapterIncompatible, AdapterNotFound, AdapterStoreUnreachable
from tests.doubles.adapters import make_adapter

CANARY = Canary("A job.", "A resume.", 41.5)


@pytest.fixture(scope="module")
def folders(cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("adapters")
    return [make_adapter(root / str(seed), cache_dir, seed, canaries=[CANARY]) for seed in range(3)]


@pytest.fixture(params=["disk", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "store") if request.param == "disk" else f"memory://{tmp_path.name}"


def fetch(tmp_path: Path, stored: StoredAdapter) -> Path:
    """Fetches from the store on disk as a scorer does that has read the announcement."""
    store = AdapterStore(str(tmp_path / "store"))
    return store.fetch(stored.uri, stored.manifest_digest, tmp_path / "cache")


def test_what_was_published_is_fetched_bit_for_bit(url: str, folders: list[Path], tmp_path: Path) -> None:
    stored = AdapterStore(url).publish(folders[0], {"mae": 8.5})

    fetched = AdapterStore(url).fetch(stored.uri, stored.manifest_digest, tmp_path / "cache")

    verify_manifest(fetched)
    assert (fetched / WEIGHTS_FILE).read_bytes() == (folders[0] / WEIGHTS_FILE).read_bytes()
    assert read_adapter(fetched).digest == stored.adapter_digest
    assert read_canaries(fetched) == (CANARY,)
    assert AdapterStore(url).find(stored.version).metrics == {"mae": 8.5}
    assert AdapterStore(url).fetch(stored.uri, stored.manifest_digest, tmp_path / "cache") == fetched
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [stored.manifest_digest]


def test_worker_and_api_may_fetch_at_the_same_moment(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = AdapterStore(str(tmp_path / "store"))
    stored = store.publish(folders[0])
    copy, cache_dir = fetching._copy, tmp_path / "cache"

    def overtaken(*place: Any) -> None:
        copy(*place)
        monkeypatch.undo()
        store.fetch(stored.uri, stored.manifest_digest, cache_dir)  # the other one's, from beginning to end

    monkeypatch.setattr(fetching, "_copy", overtaken)
    fetched = store.fetch(stored.uri, stored.manifest_digest, cache_dir)

    verify_manifest(fetched)
    assert list(cache_dir.iterdir()) == [fetched]


def test_the_same_content_is_one_version(url: str, folders: list[Path]) -> None:
    store = AdapterStore(url)
    assert store.publish(folders[0]) == store.publish(folders[0])
    assert len(store.versions()) == 1


def test_activations_go_back_step_by_step(url: str, folders: list[Path]) -> None:
    store = AdapterStore(url)
    first, second = (store.publish(folder).version for folder in folders[:2])
    with pytest.raises(AdapterNotFound, match="nothing to roll back"):
        store.note_rollback()
    for version in (first, second, second):
        store.note_activation(version)
    assert store.activations() == [first, second]
    assert store.note_rollback() == first
    assert store.note_rollback() is None
    assert store.activations() == []


def test_a_crash_amid_publishing_leaves_no_version(
    tmp_path: Path, folders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = AdapterStore(str(tmp_path / "store"))

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(AdapterStore, "_write", crash)
        with pytest.raises(KeyboardInterrupt):
            store.publish(folders[0])

    assert store.versions() == []
    assert len([store.publish(folders[0])]) == len(store.versions()) == 1


def test_old_versions_are_removed_but_never_the_active_ones(url: str, folders: list[Path]) -> None:
    store = AdapterStore(url)
    versions = [store.publish(folder).version for folder in folders]
    store.note_activation(min(versions))
    removed = store.remove_all_but(1)
    kept = {stored.version for stored in store.versions()}
    assert min(versions) in kept
    assert set(removed) | kept == set(versions)
    assert len(kept) == 2


@pytest.mark.parametrize("spoil", ["weights", "manifest", "missing"])
def test_a_damaged_store_is_noticed_and_leaves_no_copy(
    tmp_path: Path, folders: list[Path], spoil: str
) -> None:
    stored = AdapterStore(str(tmp_path / "store")).publish(folders[0])
    place = tmp_path / "store" / "versions" / stored.version
    if spoil == "weights":
        content = bytearray((place / WEIGHTS_FILE).read_bytes())
        content[-1] ^= 1
        (place / WEIGHTS_FILE).write_bytes(content)
    elif spoil == "manifest":
        (place / MANIFEST_FILE).write_text((place / MANIFEST_FILE).read_text() + " ")
    else:
        (place / WEIGHTS_FILE).unlink()

    with pytest.raises((AdapterIncompatible, AdapterStoreUnreachable)):
        fetch(tmp_path, stored)

    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("name", ["code.py", "weights.bin", "pickle.pkl"])
def test_files_that_could_run_are_not_stored(tmp_path: Path, folders: list[Path], name: str) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(folders[0], folder)
    (folder / name).write_text("print()")
    write_manifest(folder)
    with pytest.raises(AdapterIncompatible, match=name):
        AdapterStore(str(tmp_path / "store")).publish(folder)


def test_a_manifest_cannot_point_outside_its_folder(tmp_path: Path, folders: list[Path]) -> None:
    stored = AdapterStore(str(tmp_path / "store")).publish(folders[0])
    path = tmp_path / "store" / "versions" / stored.version / MANIFEST_FILE
    manifest = json.loads(path.read_text())
    manifest["files"]["../../stolen.json"] = {"sha256": "0" * 64, "num_bytes": 1}
    path.write_text(json.dumps(manifest))
    digest = AdapterStore(str(tmp_path / "store")).find(stored.version).manifest_digest
    with pytest.raises(AdapterIncompatible, match="not allowed"):
        fetch(tmp_path, dataclasses.replace(stored, manifest_digest=digest))


def test_an_adapter_that_is_too_large_is_not_even_fetched(
    tmp_path: Path, folders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = AdapterStore(str(tmp_path / "store")).publish(folders[0])
    monkeypatch.setattr("services.adapters.fetching.MAX_ADAPTER_BYTES", 1000)
    with pytest.raises(AdapterIncompatible, match="larger than"):
        fetch(tmp_path, stored)


@pytest.mark.parametrize("version", ["nothing", "", "..", "a/b"])
def test_an_unknown_version_is_named_so(url: str, version: str) -> None:
    with pytest.raises(AdapterNotFound):
        AdapterStore(url).find(version)


def test_an_unknown_file_system_is_named_so() -> None:
    with pytest.raises(AdapterStoreUnreachable, match="nowhere"):
        AdapterStore("nowhere://bucket")


@pytest.mark.parametrize("content", ["[{}]", "{", '[{"job_description": "", "resume": "", "score": "x"}]'])
def test_damaged_canaries_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / CANARIES_FILE).write_text(content)
    with pytest.raises(AdapterIncompatible, match="canaries.json is damaged"):
        read_canaries(tmp_path)


def test_layout_is_as_documented(tmp_path: Path, folders: list[Path]) -> None:
    store = AdapterStore(str(tmp_path / "store"))
    stored = store.publish(folders[0])
    store.note_activation(stored.version)
    top = sorted(path.name for path in (tmp_path / "store").iterdir())
    assert top == sorted(["versions", store_module.ACTIVATIONS_FILE])


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"format": 1, "files": {"a.json": {"sha256": "", "num_bytes": 1e999}}}',
        b'{"format": 1, "files": {"a.json": {"sha256": "", "num_bytes": -5}}}',
        b'{"format": 1, "files": [1]}',
        b"\xff",
        b"",
    ],
)
def test_a_manifest_of_any_content_is_damaged_and_nothing_else(content: bytes) -> None:
    with pytest.raises(AdapterIncompatible, match="is damaged"):
        parse_manifest("adapter", content)


def test_a_manifest_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "store" / "versions" / "v1"
    place.mkdir(parents=True)
    (place / MANIFEST_FILE).write_bytes(b" " * 2000)
    monkeypatch.setattr(fetching, "MAX_MANIFEST_BYTES", 1999)

    with pytest.raises(AdapterIncompatible, match="larger than 1999 bytes"):
        AdapterStore(str(tmp_path / "store")).fetch(place.as_uri(), "0" * 64, tmp_path / "cache")


def test_a_damaged_order_of_activations_is_named(tmp_path: Path) -> None:
    (tmp_path / "activations.json").write_text("[")

    with pytest.raises(AdapterStoreUnreachable, match=r"activations\.json is damaged"):
        AdapterStore(str(tmp_path)).activations()


@pytest.mark.parametrize(
    "digest",
    [
        "",
        "../evil",
        "/etc",
        "0" * 63,
        "0" * 65,
        "G" * 64,
        "A" * 64,
        "0" * 32 + "/../" + "0" * 28,
        "..",
        "0" * 64 + "\n",
    ],
)
def test_a_digest_that_is_none_names_no_folder(tmp_path: Path, folders: list[Path], digest: str) -> None:
    stored = AdapterStore(str(tmp_path / "store")).publish(folders[0])
    (tmp_path / "cache").mkdir()
    evil = shutil.copytree(folders[1], tmp_path / "evil")
    write_manifest(evil)

    with pytest.raises(AdapterIncompatible, match="must be 64 hexadecimal digits"):
        fetch(tmp_path, dataclasses.replace(stored, manifest_digest=digest))


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc",
        "https://example.org/versions/v1",
        "sftp://somebody@example.org/store/versions/v1",
        "memory:///versions/v1",
        "{store}",
        "{store}/versions",
        "{store}/versions/",
        "{store}/versions/..",
        "{store}/versions/../versions/v1",
        "{store}/versions/v1/..",
        "{store}/versions/v1/../../../evil",
        "{store}-evil/versions/v1",
        "",
    ],
)
def test_an_announcement_of_another_place_is_refused_and_nothing_is_opened(
    tmp_path: Path, folders: list[Path], uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = AdapterStore(str(tmp_path / "store"))
    stored = store.publish(folders[0])

    def open_nothing(*_: Any, **__: Any) -> None:
        raise AssertionError("a record must not choose what is opened")

    monkeypatch.setattr(fetching, "fetch_adapter", open_nothing)
    monkeypatch.setattr(store_module, "fetch_adapter", open_nothing)
    monkeypatch.setattr(store_module, "url_to_fs", open_nothing)
    with pytest.raises(AdapterIncompatible, match="no version of the adapter store"):
        store.fetch(
            uri.format(store=(tmp_path / "store").as_uri()), stored.manifest_digest, tmp_path / "cache"
        )


@pytest.mark.parametrize(
    "spelling", ["{root}//store", "{root}/a/../store", "{root}/store/", "file://{root}/./store"]
)
def test_a_store_is_one_however_its_folder_is_spelled(
    tmp_path: Path, folders: list[Path], spelling: str
) -> None:
    here, there = AdapterStore(str(tmp_path / "store")), AdapterStore(spelling.format(root=tmp_path))
    stored = there.publish(folders[0])

    assert here.find(stored.version) == stored
    for store in (here, there):
        assert store.fetch(stored.uri, stored.manifest_digest, tmp_path / "cache").is_dir()


def test_a_file_where_the_copy_should_be_is_named(tmp_path: Path, folders: list[Path]) -> None:
    stored = AdapterStore(str(tmp_path / "store")).publish(folders[0])
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / stored.manifest_digest).write_text("")

    with pytest.raises(AdapterStoreUnreachable, match=f"{stored.manifest_digest}: Not a directory"):
        fetch(tmp_path, stored)


def test_a_copy_that_was_rewritten_together_with_its_manifest_is_fetched_again(
    tmp_path: Path, folders: list[Path]
) -> None:
    stored = AdapterStore(str(tmp_path / "store")).publish(folders[0])
    copy = fetch(tmp_path, stored)
    shutil.copy(folders[1] / WEIGHTS_FILE, copy / WEIGHTS_FILE)
    write_manifest(copy)

    again = fetch(tmp_path, stored)

    assert again == copy
    assert (again / WEIGHTS_FILE).read_bytes() == (folders[0] / WEIGHTS_FILE).read_bytes()
    assert hashlib.sha256((again / MANIFEST_FILE).read_bytes()).hexdigest() == stored.manifest_digest


def test_a_copy_with_a_file_too_many_is_fetched_again(tmp_path: Path, folders: list[Path]) -> None:
    stored = AdapterStore(str(tmp_path / "store")).publish(folders[0])
    (fetch(tmp_path, stored) / "code.py").write_text("print()")

    assert not (fetch(tmp_path, stored) / "code.py").exists()


def test_an_adapter_without_canaries_is_not_published(tmp_path: Path, folders: list[Path]) -> None:
    folder = shutil.copytree(folders[0], tmp_path / "adapter")
    (folder / CANARIES_FILE).write_text("[]")
    write_manifest(folder)
    with pytest.raises(AdapterIncompatible, match="needs 1 to 32 canaries"):
        AdapterStore(str(tmp_path / "store")).publish(folder)

    (folder / CANARIES_FILE).unlink()
    write_manifest(folder)
    with pytest.raises(AdapterIncompatible, match=r"canaries\.json is missing"):
        AdapterStore(str(tmp_path / "store")).publish(folder)
