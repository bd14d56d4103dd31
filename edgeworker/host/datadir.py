"""The data directory: where an edge keeps what must outlive it, readable by its owner only."""

import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from edgeworker.errors import StoreError
from edgeworker.files import make_folder, write_once

_TOKEN_BYTES: Final = 32
_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class DataDir:
    """`kv.sqlite` holds every KV namespace, `api-token` the REST API's token,
    `cache` what scripts put into `caches`."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Makes the directory (0700) where it is missing.

        Raises:
            StoreError: it cannot be made, is not a directory, or users other than its owner may write into it:
                a user who can replace a file in here can forge tokens.
        """
        try:
            if not path.is_dir():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                make_folder(path)
            mode = path.stat().st_mode
        except FileExistsError:
            raise StoreError(f"{path}: the data directory is a file; name a directory with --persist-to") from None
        except OSError as error:
            raise StoreError(f"{path}: the data directory cannot be used: {error.strerror}") from error
        if mode & _OTHERS_MAY_WRITE:
            raise StoreError(f"{path}: others may write into the data directory; run: chmod go-w {path}")
        return cls(path)

    @property
    def kv_file(self) -> Path:
        return self.path / "kv.sqlite"

    @property
    def cache_folder(self) -> Path:
        return self.path / "cache"

    @property
    def api_token_file(self) -> Path:
        return self.path / "api-token"

    def api_token(self) -> str:
        """The kept token; one is made (256 random bits, mode 0600) where there is none.

        Raises:
            StoreError: the file cannot be read or written, is empty, or others may read it.
        """
        file = self.api_token_file
        if not file.exists():
            self._make_token(file)
        return self._kept_token(file)

    def _make_token(self, file: Path) -> None:
        try:
            write_once(file, secrets.token_urlsafe(_TOKEN_BYTES).encode() + b"\n")
        except OSError as error:
            raise StoreError(f"{file}: the API token cannot be kept: {error.strerror}") from error

    def _kept_token(self, file: Path) -> str:
        try:
            mode = file.stat().st_mode
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{file}: the API token cannot be read: {error}") from error
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise StoreError(f"{file}: others may read the API token; run: chmod 600 {file}")
        if not token:
            raise StoreError(f"{file}: the API token is empty; remove the file and a new one is made")
        return token
