"""What ACME keeps in the data directory: the account's key, certificates, failures, and challenges under way.

A certificate and its key are one file, so that no process reads one without the other; each set of hosts at each
directory has its own.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.errors import StoreError
from edgeworker.files import make_folder, replace_file
from edgeworker.host.acme.policy import Failures
from edgeworker.strict_json import dumps, loads
from edgeworker.tls_settings import ACME

FOLDER: Final = "acme"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")


@dataclass(frozen=True, slots=True)
class ACMEFiles:
    """All methods raise StoreError for what the disk refuses."""

    folder: Path

    @classmethod
    def of(cls, data: Path) -> "ACMEFiles":
        return cls(data / FOLDER)

    def certificate(self, settings: ACME) -> Path:
        """PEM: the key, then the certificate with its chain."""
        return self.folder / f"{_name(settings.directory, *sorted(settings.hosts))}.pem"

    @property
    def served(self) -> Path:
        """A copy of the ordered certificate that was served last: it serves on where the file of that is damaged."""
        return self.folder / "served.pem"

    def keep_served(self, file: Path) -> None:
        content = file.read_bytes()
        try:
            if self.served.read_bytes() == content:
                return
        except OSError:
            pass
        self.write(self.served, content)

    def other_certificates(self, settings: ACME) -> list[Path]:
        """Those that were ordered for other hosts or elsewhere, the newest first."""
        try:
            ages = {file: file.stat().st_mtime for file in self.folder.glob("*.pem")}
        except OSError:
            return []
        ages.pop(self.certificate(settings), None)
        return sorted(ages, key=lambda file: -ages[file])

    def account(self, settings: ACME) -> Path:
        return self.folder / f"account-{_name(settings.directory)}.json"

    def write(self, place: Path, content: bytes) -> None:
        try:
            make_folder(place.parent)
            replace_file(place, content)
        except OSError as error:
            raise StoreError(f"{place}: cannot be written: {error.strerror}") from error

    def failures(self, settings: ACME) -> Failures | None:
        """None also where the note is damaged: the worst is one attempt too early."""
        try:
            match loads(self._failures(settings).read_bytes()):
                case {"count": int(count), "last_at": int(last_at)} if count >= 1:
                    return Failures(count, last_at)
        except (OSError, ValueError):
            return None
        return None

    def note_failure(self, settings: ACME, failures: Failures) -> None:
        self.write(self._failures(settings), dumps({"count": failures.count, "last_at": failures.last_at}).encode())

    def forget_failures(self, settings: ACME) -> None:
        with suppress(OSError):
            self._failures(settings).unlink(missing_ok=True)

    @contextmanager
    def challenge(self, token: str, answer: str) -> Iterator[None]:
        """While the block runs, every process answers the authority's question for `token`."""
        place = self._challenge(token)
        if place is None:
            raise StoreError(f"the authority's token {token!a} cannot be a file's name")
        self.write(place, answer.encode())
        try:
            yield
        finally:
            place.unlink(missing_ok=True)

    def forget_challenges(self) -> None:
        """Those of an order that was cut off: only one order is under way at a time."""
        for place in (self.folder / "challenges").glob("*"):
            with suppress(OSError):
                place.unlink()

    def find_challenge(self, token: str) -> bytes | None:
        place = self._challenge(token)
        try:
            return None if place is None else place.read_bytes()
        except OSError:
            return None

    def _challenge(self, token: str) -> Path | None:
        return self.folder / "challenges" / token if _TOKEN.fullmatch(token) else None

    def _failures(self, settings: ACME) -> Path:
        return self.certificate(settings).with_suffix(".failed.json")


def _name(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
