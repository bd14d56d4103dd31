"""The published versions of an edge, in its data directory.

`index.json` says what there is and is replaced in one step, so that each process sees the old or the new one.
`<worker>/<version>.zip` is what was sent and never changes; `<worker>/<version>/` is made of it when it is served.
"""

import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edgeworker.errors import StoreError
from edgeworker.files import make_folder, open_or_create, replace_file
from edgeworker.publishing.archive import unpack
from edgeworker.publishing.publisher import PublishRefused
from edgeworker.publishing.versions import (
    InvalidIndex,
    PublishedIndex,
    PublishedProject,
    WorkerDeployment,
    WorkerVersion,
)
from edgeworker.strict_json import dumps, loads

FOLDER: Final = "workers"
_INDEX: Final = "index.json"
_LOCK: Final = ".lock"
# https://developers.cloudflare.com/workers/configuration/routing/workers-dev/: a label of a host name, and "_".
NAME: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")

Stamp = tuple[int, int, int]


class VersionStore:
    """All methods raise StoreError for what the disk refuses. The folder is made with the first version."""

    def __init__(self, data: Path) -> None:
        self.folder = data / FOLDER

    def stamp(self) -> Stamp:
        """Differs after every change: cheap enough to be looked at several times a second."""
        try:
            found = (self.folder / _INDEX).stat()
        except FileNotFoundError:
            return (0, 0, 0)
        except OSError as error:
            raise self._refused(self.folder / _INDEX, error) from error
        return (found.st_mtime_ns, found.st_ino, found.st_size)

    def read(self) -> PublishedIndex:
        file = self.folder / _INDEX
        try:
            return PublishedIndex.from_json(loads(file.read_bytes()))
        except FileNotFoundError:
            return PublishedIndex()
        except OSError as error:
            raise self._refused(file, error) from error
        except InvalidIndex as error:
            raise StoreError(f"{file}: {error}; restore it from a backup, or move {self.folder} away") from error
        except ValueError as error:
            raise StoreError(f"{file}: it is damaged: {error}; restore it from a backup") from error

    def add(self, name: str, archive: bytes, version: Callable[[int], WorkerVersion]) -> WorkerVersion:
        """Keeps an archive as the next version of a worker; `version` is given its number. It is not deployed yet.

        Raises PublishRefused where there are too many workers already.
        """
        if NAME.fullmatch(name) is None:
            raise ValueError(f"{name!a} cannot be a worker's name")
        with self._changing() as index:
            if name not in index.workers:
                with_room = index.with_room()
                if with_room is None:
                    raise PublishRefused(
                        f"{len(index.workers)} published workers are served, which is as many as can be; withdraw one"
                    )
                index = with_room
            made = version(max((one.number for one in index.worker(name).versions), default=0) + 1)
            try:
                make_folder(self.folder / name)
                replace_file(self._archive(name, made), archive)
            except OSError as error:
                raise self._refused(self.folder / name, error) from error
            self._write(index.with_version(name, made))
            return made

    def forget(self, name: str, version: WorkerVersion) -> None:
        """A version that was never deployed."""
        with self._changing() as index:
            self._write(index.without_version(name, version.id))

    def deploy(self, name: str, deployment: WorkerDeployment) -> PublishedIndex:
        with self._changing() as index:
            changed = index.with_deployment(name, deployment)
            self._write(changed)
            return changed

    def projects(self, index: PublishedIndex) -> tuple[PublishedProject, ...]:
        """What is deployed, as files on this disk."""
        return tuple(
            self.project(worker.name, version)
            for worker in index.workers.values()
            if (version := worker.deployed) is not None
        )

    def project(self, name: str, version: WorkerVersion) -> PublishedProject:
        """Raises InvalidArchive for what is not a project, and StoreError for an archive that is damaged or gone."""
        folder = self.folder / name / version.id
        if not folder.is_dir():
            self._unpack(name, version, folder)
        return PublishedProject(name, version, folder / version.config)

    def _unpack(self, name: str, version: WorkerVersion, folder: Path) -> None:
        file = self._archive(name, version)
        draft = folder.with_name(f".{version.id}.{secrets.token_hex(8)}")
        try:
            content = file.read_bytes()
            if hashlib.sha256(content).hexdigest() != version.sha256:
                raise StoreError(f"{file}: it is not what was published (SHA-256 differs); restore it from a backup")
            make_folder(draft, parents=False)
            unpack(content, draft)
            draft.replace(folder)
        except FileNotFoundError as error:
            raise StoreError(f"{file}: the version is gone; deploy another one, or restore it") from error
        except OSError as error:
            if not folder.is_dir():  # another process was faster
                raise self._refused(folder, error) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _archive(self, name: str, version: WorkerVersion) -> Path:
        return self.folder / name / f"{version.id}.zip"

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """No process adds, deploys or removes a version meanwhile."""
        try:
            lock = os.open(self.folder / _LOCK, os.O_RDONLY)
        except FileNotFoundError:  # nothing was ever published
            yield
            return
        except OSError as error:
            raise self._refused(self.folder / _LOCK, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _changing(self) -> Iterator[PublishedIndex]:
        """The index, which no other process changes meanwhile."""
        try:
            make_folder(self.folder)
            lock = open_or_create(self.folder / _LOCK)
        except OSError as error:
            raise self._refused(self.folder, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.read()
        finally:
            os.close(lock)

    def _write(self, index: PublishedIndex) -> None:
        try:
            replace_file(self.folder / _INDEX, dumps(index.to_json()).encode())
        except OSError as error:
            raise self._refused(self.folder / _INDEX, error) from error
        self._remove_unknown(index)

    def _remove_unknown(self, index: PublishedIndex) -> None:
        """Versions that are not offered any more. What cannot be removed now is tried again with the next change."""
        for folder in [entry for entry in self.folder.iterdir() if entry.is_dir()]:
            known = {version.id for version in index.worker(folder.name).versions}
            for entry in [*folder.glob("*")]:
                if entry.name.startswith(".") or entry.name.removesuffix(".zip") in known:
                    continue
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)

    def _refused(self, place: Path, error: OSError) -> StoreError:
        return StoreError(f"{place}: cannot be used: {error.strerror}")
