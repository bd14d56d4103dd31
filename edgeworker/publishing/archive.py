"""A worker project as one file (zip), packed where it is published and unpacked where it is served."""

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from edgeworker.errors import ConfigError
from edgeworker.files import make_folder, open_new

MOST_ARCHIVE_BYTES: Final = 64 * 1024 * 1024
MOST_FILES: Final = 20_000
MOST_BYTES: Final = 256 * 1024 * 1024

# What is made anew where it is needed, belongs to a tool, or holds secrets of the developer's own machine.
_LEFT_OUT_FOLDERS: Final = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".wrangler",
        ".edgeworker",
        ".venv",
        ".venv-workers",
        "node_modules",
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
    }
)
_SECRETS: Final = (".dev.vars", ".env")
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)  # the same project gives the same bytes
_LONGEST_NAME_BYTES: Final = 1024


class InvalidArchive(ValueError):
    """What was sent is not a project's archive, or too large; the text says what would be right."""


def pack(folder: Path) -> bytes:
    """Every file below `folder` that a worker may need. Secrets of `.dev.vars` and `.env` stay where they are.

    Raises ConfigError: too much, or a file that cannot be read.
    """
    packed = io.BytesIO()
    count = size = 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(project_files(folder)):
            try:
                content = file.read_bytes()
            except OSError as error:
                raise ConfigError(f"{file}: the file cannot be read: {error.strerror}") from error
            count, size = count + 1, size + len(content)
            if count > MOST_FILES or size > MOST_BYTES:
                raise ConfigError(
                    f"{folder}: the project has more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB; "
                    "move what the worker does not need out of it"
                )
            archive.writestr(zipfile.ZipInfo(file.relative_to(folder).as_posix(), _MOMENT), content, compresslevel=6)
    if packed.tell() > MOST_ARCHIVE_BYTES:
        raise ConfigError(f"{folder}: the packed project has more than {MOST_ARCHIVE_BYTES >> 20} MiB")
    return packed.getvalue()


def project_files(folder: Path, *, without: Path | None = None) -> Iterator[Path]:
    """Every regular file below `folder` that a worker may need, without secrets, and none in the folder `without`."""
    for top, folders, files in os.walk(folder):
        here = Path(top)
        folders[:] = [
            name
            for name in folders
            if name not in _LEFT_OUT_FOLDERS
            and not (here / name / "pyvenv.cfg").is_file()
            and (without is None or (here / name).resolve() != without)
        ]
        for name in files:
            file = here / name
            if not (name.startswith(_SECRETS) or name.endswith(".pyc")) and file.is_file():
                yield file


def names_in(archive: bytes) -> list[str]:
    """The files of what `pack` made."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.namelist()


def unpack(content: bytes, folder: Path) -> None:
    """Writes the files below `folder`, which is empty. Nothing is written outside of it, whatever the archive says.

    Raises InvalidArchive, and OSError for what the disk refuses.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            places = _checked(archive.infolist())
            left = MOST_BYTES
            for member, place in places:
                target = folder.joinpath(*place.parts)
                make_folder(target.parent)
                left -= _extract(archive, member, target, left)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, UnicodeError) as error:
        raise InvalidArchive(f"not a zip archive that can be read: {error}") from error


def _checked(members: list[zipfile.ZipInfo]) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    found: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for member in members:
        if member.is_dir():
            continue
        name, place = member.filename, PurePosixPath(member.filename)
        kind = stat.S_IFMT(member.external_attr >> 16)
        clean = (
            0 < len(name.encode()) <= _LONGEST_NAME_BYTES
            and not place.is_absolute()
            and ".." not in place.parts
            and not any(character in name for character in "\\\0:")
            and kind in (0, stat.S_IFREG)
        )
        if not clean:
            raise InvalidArchive(
                f"{name[:200]!a} is not a file that a project may have: relative paths of regular files only"
            )
        if place in found:
            raise InvalidArchive(f"{name[:200]!a} is there twice")
        found[place] = member
    for place in found:
        if any(parent in found for parent in place.parents):
            raise InvalidArchive(f"{str(place)[:200]!a} lies in a folder that is a file too")
    if len(found) > MOST_FILES:
        raise InvalidArchive(f"it has {len(found)} files; at most {MOST_FILES} are taken")
    return [(member, place) for place, member in found.items()]


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, most: int) -> int:
    """The size as it is read, not as the archive announces it."""
    size = 0
    with archive.open(member) as source, open_new(target) as file:
        while piece := source.read(64 * 1024):
            size += len(piece)
            if size > most:
                raise InvalidArchive(f"its files have more than {MOST_BYTES >> 20} MiB")
            file.write(piece)
    return size
