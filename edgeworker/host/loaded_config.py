"""What a process has loaded, as bytes from which another one can be started, whatever lies on the disk by then.

Configuration with its secrets, certificates and keys stay in memory: the bytes go to the parent and to the process that
it starts. Scripts are no secret and may be many, and import more of themselves later: their folder is copied into the
data directory, without `.dev.vars` and `.env`. What is served live (static assets) is not kept.
"""

import hashlib
import io
import logging
import os
import pickle
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edgeworker.config import Config, Worker
from edgeworker.files import make_folder
from edgeworker.javascript.build import ENDINGS
from edgeworker.publishing.archive import project_files
from edgeworker.publishing.version_store import FOLDER as PUBLISHED_FOLDER

_log = logging.getLogger(__name__)

FOLDER: Final = "run/loaded"
_MOST_FILE_BYTES: Final = 1024 * 1024
_MOST_FILES_BYTES: Final = 16 * 1024 * 1024
_MOST_PROJECT_FILES: Final = 5000
_MOST_PROJECT_BYTES: Final = 64 * 1024 * 1024
_MOST_COPIES: Final = 8
# What is loaded when a script is. Other files are read when it asks for them, and may change all the time: logs, data.
_SOURCES: Final = frozenset(
    {
        ".py",
        *ENDINGS,
        ".json",
        ".jsonc",
        ".toml",
        ".wasm",
        ".txt",
        ".html",
        ".sql",
        ".bin",
    }  # modules of wrangler's rules
)
_TOOLS_FOLDER: Final = "node_modules"  # where bundlers and engines are: not copied, and the same for the copy


@dataclass(frozen=True, slots=True)
class _Kept:
    """`config` is pickled with paths by name, `projects` are folders of scripts with their copies, `files` the content
    of other files that the configuration names, `sources` the digests of its own."""

    config: bytes
    generation: int
    projects: Mapping[Path, Path]
    files: Mapping[Path, bytes]
    sources: Mapping[Path, str]


@dataclass(frozen=True, slots=True)
class RestoredConfig:
    """`generation` is of what was published. `changed`: what lies on the disk in another form, or not any more.
    `replaced` are files that are read from memory instead."""

    config: Config
    generation: int
    changed: tuple[Path, ...] = ()
    replaced: tuple[Path, ...] = ()


def keep_config(config: Config, generation: int, data: Path, *, give_way: Callable[[], None] = lambda: None) -> bytes:
    """To be called right after `config` was loaded. `give_way` is called between the files that are read: a thread
    beside an event loop may pause there.

    Raises OSError, ValueError, TypeError, AttributeError or pickle.PickleError where it cannot be kept.
    """
    named: set[Path] = set()
    pickled = io.BytesIO()
    _Pickler(pickled, named).dump(config)
    projects = sorted({folder for worker in config.workers if (folder := _project(worker, data)) is not None})
    live = [worker.assets.directory for worker in config.workers if worker.assets is not None]
    others = {
        path
        for path in named - set(config.files)
        if _within(path, (*live, data)) is None and not (path.suffix in _SOURCES and _within(path, projects))
    }
    return pickle.dumps(
        _Kept(
            pickled.getvalue(),
            generation,
            {folder: _copy(folder, data, give_way, without=others) for folder in projects},
            dict(_contents(sorted(others))),
            {file: _digest_of_file(file) for file in config.files},
        )
    )


def restore_config(content: bytes, data: Path, *, files_from_memory: bool = False) -> RestoredConfig:
    """What `keep_config` gave, with copies in place of scripts that have changed since.

    `files_from_memory`: of certificates and other files too. They are renewed without a reload, so those on the disk
    come first. Raises OSError or ValueError.
    """
    kept = pickle.loads(content)  # from our own memory
    if not isinstance(kept, _Kept):
        raise ValueError("not a configuration that was kept")
    changed = [file for file, digest in kept.sources.items() if _digest_of_file(file) != digest]
    moved: dict[Path, Path] = {}
    for folder, copy in kept.projects.items():
        if _digest_or_none(folder, data) != copy.name:
            moved[folder] = copy
            changed.append(folder)
    replaced: dict[Path, Path] = {}
    if files_from_memory:
        changed += [file for file, content in kept.files.items() if _content_or_none(file) != content]
        # All of them: a certificate and its key belong together.
        replaced = {file: _in_memory(content) or file for file, content in kept.files.items()}
    config = _Unpickler(io.BytesIO(kept.config), moved, replaced).load()
    if not isinstance(config, Config):
        raise ValueError("not a configuration")
    return RestoredConfig(replace(config, files=tuple(kept.sources)), kept.generation, tuple(changed), tuple(replaced))


class _Pickler(pickle.Pickler):
    """Paths are written by their names, and told."""

    def __init__(self, file: io.BytesIO, named: set[Path]) -> None:
        super().__init__(file)
        self._named = named

    def persistent_id(self, value: object) -> str | None:
        if not isinstance(value, Path):
            return None
        self._named.add(value)
        return str(value)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, moved: Mapping[Path, Path], replaced: Mapping[Path, Path]) -> None:
        super().__init__(file)
        self._moved = moved
        self._replaced = replaced

    def persistent_load(self, name: str) -> Path:
        path = Path(name)
        folder = _within(path, self._moved)
        # A certificate in a folder of scripts is not copied with the scripts.
        if folder is not None and (path.suffix in _SOURCES or path.is_dir()):
            return self._moved[folder] / path.relative_to(folder)
        return self._replaced.get(path, path)


def _project(worker: Worker, data: Path) -> Path | None:
    """The folder of its scripts. What was published never changes, and what comes with edgeworker changes with it."""
    published = (data / PUBLISHED_FOLDER).resolve()
    if worker.main is None or worker.is_default_script or worker.main.resolve().is_relative_to(published):
        return None
    return worker.main.parent if worker.javascript is None else worker.javascript.root


def _copy(folder: Path, data: Path, give_way: Callable[[], None], *, without: Collection[Path]) -> Path:
    """A folder named by the digest of its sources, which is made if it is not there."""
    files = list(_files(folder, data, give_way))
    place = data / FOLDER / _digest(folder, files, give_way)
    if place.is_dir():
        os.utime(place)
        return place
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        for file in files:
            give_way()
            if file in without:
                continue  # a certificate or a key that lies beside the scripts
            target = draft / file.relative_to(folder)
            make_folder(target.parent)
            shutil.copyfile(file, target)
            target.chmod(0o600)
        if (folder / _TOOLS_FOLDER).is_dir():
            (draft / _TOOLS_FOLDER).symlink_to((folder / _TOOLS_FOLDER).resolve())
        _remove_old(place.parent)
        with suppress(FileExistsError):
            draft.replace(place)
    except OSError:
        if not place.is_dir():  # another process was faster
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return place


def _remove_old(folder: Path) -> None:
    """Of the copies that were used last, some stay: a process may have been started from one."""
    copies = sorted(
        (one for one in folder.iterdir() if not one.name.startswith(".")), key=lambda one: one.stat().st_mtime
    )
    for one in copies[: -_MOST_COPIES + 1]:
        shutil.rmtree(one, ignore_errors=True)


def _files(folder: Path, data: Path, give_way: Callable[[], None]) -> Iterator[Path]:
    """Raises ValueError where there are too many."""
    count = size = 0
    for file in project_files(folder, without=data.resolve()):
        give_way()
        count, size = count + 1, size + file.stat().st_size
        if count > _MOST_PROJECT_FILES or size > _MOST_PROJECT_BYTES:
            raise ValueError(f"{folder} has more than {_MOST_PROJECT_FILES} files or {_MOST_PROJECT_BYTES >> 20} MiB")
        yield file


def _digest(folder: Path, files: Iterable[Path], give_way: Callable[[], None]) -> str:
    digest = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape"))
    for file in sorted(one for one in files if one.suffix in _SOURCES):
        give_way()
        name = file.relative_to(folder).as_posix().encode("utf-8", "surrogateescape")
        digest.update(b"%d %s %s" % (len(name), name, hashlib.sha256(file.read_bytes()).digest()))
    return digest.hexdigest()


def _digest_or_none(folder: Path, data: Path) -> str | None:
    try:
        return _digest(folder, _files(folder, data, _hurry), _hurry)
    except (OSError, ValueError):
        return None


def _hurry() -> None:
    """No one is kept waiting."""


def _digest_of_file(file: Path) -> str:
    content = _content_or_none(file)
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _contents(files: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    left = _MOST_FILES_BYTES
    for file in files:
        content = _content_or_none(file)
        if content is not None and len(content) <= min(left, _MOST_FILE_BYTES):
            left -= len(content)
            yield file, content


def _content_or_none(file: Path) -> bytes | None:
    """None for what is no regular file, or too large."""
    try:
        if not file.is_file():
            return None
        with file.open("rb") as opened:
            content = opened.read(_MOST_FILE_BYTES + 1)
    except OSError:
        return None
    return content if len(content) <= _MOST_FILE_BYTES else None


def _in_memory(content: bytes) -> Path | None:
    """A file without a place on the disk, for as long as this process runs; None where the system has none."""
    if not hasattr(os, "memfd_create"):
        return None
    descriptor = os.memfd_create("edgeworker")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    return Path(f"/proc/self/fd/{descriptor}")


def _within(path: Path, folders: Iterable[Path]) -> Path | None:
    return next((folder for folder in folders if path.is_relative_to(folder)), None)
