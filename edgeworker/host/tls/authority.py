"""The local certificate authority: kept in the data directory, signs what the edge's https sockets are served with."""

import secrets
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from edgeworker.config import Certificate
from edgeworker.errors import ConfigError, StoreError
from edgeworker.files import make_folder, replace_file, write_once
from edgeworker.host.tls.x509 import Pair, checked_name, issue, new_authority, read_authority
from edgeworker.server.certificates import CertificateFacts, format_moment, read_facts

RENEW_BEFORE_SECONDS: Final = 30 * 86_400

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_FOLDER: Final = "tls"


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """What the edge is served with. `renew_at` is the moment (epoch seconds) from which another one will be made."""

    certificate: Certificate
    facts: CertificateFacts
    renew_at: int


class Authority:
    """Files in `<data directory>/tls` (0700): `ca.pem`, the certificate that people trust; `ca.key` (0600), with which
    its reader could pass for any server towards them; `edge.pem` (0600), the key and the certificate of the edge;
    `names`, what was asked for beyond what the configuration names.
    """

    def __init__(self, folder: Path, pair: Pair) -> None:
        """Use `open` or `made`."""
        self.folder = folder
        self._pair = pair

    @classmethod
    def open(cls, data: Path, *, now: int) -> Self | None:
        """The one that is kept in the data directory, if there is one.

        Raises:
            StoreError: its files cannot be read, are not its own, or others may read its key.
            ConfigError: it has expired.
        """
        folder = data / _FOLDER
        if not folder.exists():
            return None
        key_file = folder / "ca.key"
        try:
            if key_file.stat().st_mode & _OTHERS:
                raise StoreError(
                    f"{key_file}: others may read the key of the local authority; run: chmod 600 {key_file}"
                )
            pair = read_authority((folder / "ca.pem").read_bytes(), key_file.read_bytes())
        except OSError as error:
            raise StoreError(
                f"{folder}: the local authority cannot be read: {error.filename or ''}: {error.strerror}; if it is "
                "lost, remove that folder, make another one (edgeworker tls init), and trust that one"
            ) from error
        except ValueError as error:
            raise StoreError(
                f"{folder}: ca.pem and ca.key are not a local authority: {error}; remove the folder, make another one "
                "(edgeworker tls init), and trust that one"
            ) from error
        authority = cls(folder, pair)
        if now > authority.facts.not_after:
            raise ConfigError(
                f"{folder}: the local authority has expired, at {format_moment(authority.facts.not_after)}; remove the "
                "folder, make another one (edgeworker tls init), and trust that one"
            )
        return authority

    @classmethod
    def made(cls, data: Path, *, now: int) -> tuple[Self, bool]:
        """The one that is kept, or one that is made now; and whether it was made. `data` must exist.

        Raises StoreError or ConfigError as `open` does.
        """
        kept = cls.open(data, now=now)
        if kept is not None:
            return kept, False
        pair = new_authority(f"edgeworker local authority {secrets.token_hex(4)}", now=now)
        draft = data / f"{_FOLDER}.{secrets.token_hex(8)}"
        try:
            make_folder(draft, parents=False)
            write_once(draft / "ca.key", pair.key_pem)
            write_once(draft / "ca.pem", pair.certificate_pem, mode=0o644)
            # The folder appears with both files in it: of two processes that start together one wins.
            draft.rename(data / _FOLDER)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            kept = cls.open(data, now=now)
            if kept is not None:
                return kept, False
            raise StoreError(f"{data / _FOLDER}: the local authority cannot be kept: {error.strerror}") from error
        return cls(data / _FOLDER, pair), True

    @property
    def certificate(self) -> x509.Certificate:
        return self._pair.certificate

    @property
    def certificate_file(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def facts(self) -> CertificateFacts:
        return read_facts(self._pair.certificate)

    def names(self) -> tuple[str, ...]:
        """What was named beyond the configuration, in `add_names`."""
        try:
            return tuple((self.folder / "names").read_text("utf-8").split())
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{self.folder / 'names'} cannot be read: {error}") from error

    def add_names(self, names: Iterable[str]) -> None:
        """They are in every certificate from now on. Raises ConfigError for what cannot stand in one, StoreError."""
        before = self.names()
        after = tuple(dict.fromkeys((*before, *(checked_name(name) for name in names))))
        if after != before:
            self._replace("names", "".join(f"{name}\n" for name in after).encode())

    def last(self) -> IssuedCertificate | None:
        """What was issued last, if that can still be served."""
        file = self.folder / "edge.pem"
        kept = self._read_last_issued(file)
        return None if kept is None else self._make_issued(file, kept)

    def issued(self, names: Iterable[str], *, now: int) -> IssuedCertificate:
        """The certificate for `names`, and for all that were asked for before; made anew only where it is missing, does
        not hold a name, comes from another authority, or ends soon.

        Raises StoreError where it cannot be written, ConfigError for a name that cannot stand in it.
        """
        wanted = tuple(dict.fromkeys((*(checked_name(name) for name in names), *self.names())))
        file = self.folder / "edge.pem"
        kept = self._read_last_issued(file)
        if (
            kept is not None
            and set(wanted) <= set(kept.names)
            and now < self._renew_at(kept)
            and kept.not_before <= now
        ):
            return self._make_issued(file, kept)
        # Names stay that another configuration on the same data directory has asked for: it may be running too.
        pair = issue(self._pair, dict.fromkeys((*wanted, *(() if kept is None else kept.names))), now=now)
        self._replace(file.name, pair.key_pem + pair.certificate_pem)
        return self._make_issued(file, read_facts(pair.certificate))

    def _make_issued(self, file: Path, facts: CertificateFacts) -> IssuedCertificate:
        return IssuedCertificate(Certificate(file, file, source="the local authority"), facts, self._renew_at(facts))

    def _renew_at(self, facts: CertificateFacts) -> int:
        # Towards the authority's own end there is nothing to gain from renewing.
        return facts.not_after - (RENEW_BEFORE_SECONDS if facts.not_after < self.facts.not_after else 0)

    def _read_last_issued(self, file: Path) -> CertificateFacts | None:
        """Of the certificate that was issued last, if this authority has signed it."""
        try:
            certificate = x509.load_pem_x509_certificate(file.read_bytes())
            certificate.verify_directly_issued_by(self._pair.certificate)
        except (OSError, ValueError, TypeError, InvalidSignature):
            return None
        return read_facts(certificate)

    def _replace(self, name: str, content: bytes) -> None:
        try:
            replace_file(self.folder / name, content)
        except OSError as error:
            raise StoreError(f"{self.folder / name} cannot be written: {error.strerror}") from error
