"""The files of an assets directory: which path is a file, and what is in it.

Paths are looked up when they are asked for, so a file that changes is served as it is now. Nothing outside the
directory is ever read: no "..", no link that leads out of it.
"""

import asyncio
import hashlib
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.assets.content_types import content_type

MAX_FILE_BYTES: Final = 25 * 1024 * 1024
IGNORE_FILE: Final = ".assetsignore"
HEADERS_FILE: Final = "_headers"
REDIRECTS_FILE: Final = "_redirects"

# With `directory = "."` they lie among the assets. In upper case too: some file systems do not tell the two apart.
_SECRET: Final = re.compile(
    r"\.dev\.vars(\..*)?|\.env(\..*)?|\.git|\.wrangler|\.edgeworker|api-token|(kv|state)\.sqlite(-wal|-shm)?|state\.changes",
    re.IGNORECASE,
)
_READ_AT_ONCE_BYTES: Final = 256 * 1024  # more is read in a thread
_ETAG_CHARACTERS: Final = 32


@dataclass(frozen=True, slots=True)
class AssetFile:
    """`etag` is without quotes, made of the content. `content_type` None: the name does not tell it."""

    content: bytes
    etag: str
    content_type: str | None


class Files:
    """A directory, without what `.assetsignore` (in the syntax of .gitignore) and Cloudflare itself leave out.

    What holds secrets of the project or of this edge is left out too, whatever `.assetsignore` says.
    """

    def __init__(self, directory: Path) -> None:
        from pathspec import GitIgnoreSpec  # not at the top: most edges serve no assets and would only start later

        self.directory = directory.resolve()
        patterns = [f"/{IGNORE_FILE}", f"/{HEADERS_FILE}", f"/{REDIRECTS_FILE}"]
        self._ignored = GitIgnoreSpec.from_lines([*patterns, *(self.text(IGNORE_FILE) or "").splitlines()])

    def text(self, name: str) -> str | None:
        """A file of rules that stands at the top of the directory."""
        try:
            return (self.directory / name).read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return None

    def exists(self, path: str) -> bool:
        """`path` is decoded and begins with "/"."""
        return self._find(path) is not None

    async def read(self, path: str) -> AssetFile | None:
        """None if there is no such file (any more)."""
        file = self._find(path)
        if file is None:
            return None
        if file.stat().st_size <= _READ_AT_ONCE_BYTES:
            content = file.read_bytes()
        else:
            content = await asyncio.to_thread(file.read_bytes)
        return AssetFile(content, hashlib.sha256(content).hexdigest()[:_ETAG_CHARACTERS], content_type(file.name))

    def _is_ignored(self, segments: list[str]) -> bool:
        """As git does it, what lies in a folder that is left out cannot be taken in again."""
        places = ["/".join(segments[:count]) + "/" for count in range(1, len(segments))]
        return any(self._ignored.match_file(place) for place in [*places, "/".join(segments)])

    def _find(self, path: str) -> Path | None:
        segments = path[1:].split("/")
        if not path.startswith("/") or any(segment in ("", ".", "..") for segment in segments):
            return None
        if "\0" in path or "\\" in path or self._is_ignored(segments):
            return None
        try:
            file = self.directory.joinpath(*segments).resolve(strict=True)
            state = file.stat()
        except (OSError, UnicodeEncodeError):
            # A part is missing, is not a folder, is too long for a name, or may not be read.
            return None
        is_asset = stat.S_ISREG(state.st_mode) and state.st_size <= MAX_FILE_BYTES
        if not is_asset or not file.is_relative_to(self.directory):
            return None
        return None if any(map(_SECRET.fullmatch, file.relative_to(self.directory).parts)) else file
