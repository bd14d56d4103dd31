"""Versions on the disk: kept, unpacked once, refused where they are damaged."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.publishing import InvalidArchive, PublishRefused, VersionStore, WorkerDeployment, WorkerVersion, pack
from edgeworker.publishing import versions as versions_module
from edgeworker.publishing.versions import MOST_VERSIONS


def archive(folder: Path, text: str = "1") -> bytes:
    folder.mkdir(exist_ok=True)
    (folder / "wrangler.toml").write_text(f"name = {text!r}\n")
    return pack(folder)


def version_of(content: bytes, id: str) -> Callable[[int], WorkerVersion]:
    def version(number: int) -> WorkerVersion:
        sha256 = hashlib.sha256(content).hexdigest()
        return WorkerVersion(id, number, 1, "ci", "", "wrangler.toml", None, len(content), sha256)

    return version


def add(store: VersionStore, content: bytes, id: str) -> WorkerVersion:
    return store.add("api", content, version_of(content, id))


def test_a_version_is_kept_and_served_after_it_was_deployed(tmp_path: Path) -> None:
    store = VersionStore(tmp_path / "data")
    first = add(store, archive(tmp_path / "p", "one"), "a")
    second = add(store, archive(tmp_path / "p", "two"), "b")

    assert (first.number, second.number) == (1, 2)
    assert store.projects(store.read()) == ()
    before = store.stamp()
    store.deploy("api", WorkerDeployment("b", 5, "ci", ""))

    assert store.stamp() != before
    [project] = VersionStore(tmp_path / "data").projects(store.read())
    assert project.config.read_text() == "name = 'two'\n"
    assert (tmp_path / "data" / "workers").stat().st_mode & 0o077 == 0
    assert (tmp_path / "data" / "workers" / "api" / "b.zip").stat().st_mode & 0o077 == 0


def test_what_is_unpacked_is_made_again_from_the_archive(tmp_path: Path) -> None:
    store = VersionStore(tmp_path / "data")
    version = add(store, archive(tmp_path / "p"), "a")
    config = store.project("api", version).config
    config.unlink()
    config.parent.rmdir()

    assert store.project("api", version).config.is_file()


def test_an_archive_that_was_changed_or_removed_is_not_served(tmp_path: Path) -> None:
    store = VersionStore(tmp_path / "data")
    version = add(store, archive(tmp_path / "p"), "a")
    file = tmp_path / "data" / "workers" / "api" / "a.zip"
    file.write_bytes(archive(tmp_path / "p", "other"))

    with pytest.raises(StoreError, match="it is not what was published"):
        store.project("api", version)
    file.unlink()
    with pytest.raises(StoreError, match="the version is gone; deploy another one, or restore it"):
        store.project("api", version)


def test_an_archive_that_cannot_be_unpacked_leaves_nothing(tmp_path: Path) -> None:
    store = VersionStore(tmp_path / "data")
    version = add(store, b"not a zip", "a")

    with pytest.raises(InvalidArchive):
        store.project("api", version)
    assert sorted(file.name for file in (tmp_path / "data" / "workers" / "api").iterdir()) == ["a.zip"]


def test_versions_that_are_not_offered_any_more_leave_the_disk(tmp_path: Path) -> None:
    store = VersionStore(tmp_path / "data")
    content = archive(tmp_path / "p")
    for number in range(MOST_VERSIONS + 3):
        store.project("api", add(store, content, f"v{number}"))
    store.forget("api", store.read().worker("api").versions[-1])

    left = {file.name.removesuffix(".zip") for file in (tmp_path / "data" / "workers" / "api").iterdir()}
    assert left == {version.id for version in store.read().worker("api").versions}
    assert len(left) == MOST_VERSIONS - 1


def test_a_worker_too_many_takes_the_place_of_the_first_that_was_withdrawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions_module, "MOST_WORKERS", 2)
    store = VersionStore(tmp_path / "data")
    for name in ("a", "b"):
        store.add(name, b"", version_of(b"", f"1{name}"))
        store.deploy(name, WorkerDeployment(f"1{name}", 5, "ci", ""))

    with pytest.raises(PublishRefused, match="2 published workers are served, which is as many as can be; withdraw"):
        store.add("c", b"", version_of(b"", "1c"))
    store.deploy("a", WorkerDeployment(None, 6, "ci", ""))
    store.add("c", b"", version_of(b"", "1c"))

    assert sorted(store.read().workers) == ["b", "c"]
    assert [*(tmp_path / "data" / "workers" / "a").glob("*")] == []


def test_an_index_that_cannot_be_read_is_an_error_and_is_not_replaced(tmp_path: Path) -> None:
    store = VersionStore(tmp_path / "data")
    add(store, archive(tmp_path / "p"), "a")
    file = tmp_path / "data" / "workers" / "index.json"

    file.write_text("{")
    with pytest.raises(StoreError, match="it is damaged"):
        add(store, b"", "b")
    file.write_text('{"format": 9, "generation": 1, "workers": []}')
    with pytest.raises(StoreError, match="it was written by a newer edgeworker; restore it from a backup, or move"):
        store.read()
    assert file.read_text() == '{"format": 9, "generation": 1, "workers": []}'


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a" * 64, "a\n"])
def test_a_name_that_is_no_label_makes_no_folder(tmp_path: Path, name: str) -> None:
    store = VersionStore(tmp_path / "data")

    with pytest.raises(ValueError, match="cannot be a worker's name"):
        store.add(name, b"", version_of(b"", "a"))
    assert not (tmp_path / "data").exists()
