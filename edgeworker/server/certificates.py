"""Reads certificates and keys from PEM files, and checks them before a handshake can fail because of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edgeworker.errors import ConfigError

_REVOCATION_LIST: Final = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a server's certificate says. `names` are lower case; moments are epoch seconds, `not_after` the last one."""

    names: tuple[str, ...]
    not_before: int
    not_after: int

    def covers(self, host: str) -> bool:
        """Whether a client that wants `host` (lower case; "*.example.com" too) accepts the certificate for it."""
        return host in self.names or (not host.startswith("*.") and wildcard_of(host) in self.names)


def wildcard_of(host: str) -> str:
    """The wildcard that stands for `host`: "*.example.com" for "api.example.com"."""
    return f"*.{host.partition('.')[2]}"


def read_pair(cert: Path, key: Path, *, now: int | None, where: str) -> CertificateFacts:
    """The first certificate of `cert`, which must belong to `key` and be valid at `now` (None: not checked).

    Raises:
        ConfigError: with `where` ("edge.toml: tls.certificates[0]"), the file, and what would be right.
    """
    leaf, *_ = read_certificates(cert, where=where)
    if _encode_public_key(leaf.public_key()) != _encode_public_key(_read_key(key, where=where)):
        raise ConfigError(
            f"{where}: {key} is not the key of the first certificate in {cert}; give the key that it was made with, "
            "and put the server's own certificate before those of its authorities"
        )
    facts = read_facts(leaf)
    if now is not None and now > facts.not_after:
        raise ConfigError(f"{where}: {cert} has expired, at {format_moment(facts.not_after)}; renew it")
    if now is not None and now < facts.not_before:
        raise ConfigError(f"{where}: {cert} is not valid before {format_moment(facts.not_before)}; is the clock right?")
    return facts


def read_facts(certificate: x509.Certificate) -> CertificateFacts:
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names: list[str] = []  # clients no longer look at the common name
    else:
        names = [name.lower() for name in alternatives.get_values_for_type(x509.DNSName)]
        names += [str(address) for address in alternatives.get_values_for_type(x509.IPAddress)]
    return CertificateFacts(
        tuple(names),
        int(certificate.not_valid_before_utc.timestamp()),
        int(certificate.not_valid_after_utc.timestamp()),
    )


def read_certificates(file: Path, *, where: str) -> Sequence[x509.Certificate]:
    """At least one. Raises ConfigError."""
    try:
        return x509.load_pem_x509_certificates(_read(file, where=where))
    except ValueError as error:
        raise ConfigError(f"{where}: {file} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)") from error


def read_revocation_lists(file: Path, *, where: str) -> Sequence[x509.CertificateRevocationList]:
    """At least one. Raises ConfigError."""
    content = _read(file, where=where)
    try:
        lists = [x509.load_pem_x509_crl(text) for text in _REVOCATION_LIST.findall(content)]
    except ValueError:
        lists = []
    if not lists or len(lists) != content.count(b"-----BEGIN "):
        raise ConfigError(f"{where}: {file} holds no revocation list in PEM form (-----BEGIN X509 CRL-----) alone")
    return lists


def format_moment(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}Z"


def _read_key(file: Path, *, where: str) -> CertificatePublicKeyTypes:
    """The public half of the private key in `file`."""
    content = _read(file, where=where)
    # No error of the parser is chained or quoted: it may have seen a part of the key.
    try:
        private = serialization.load_pem_private_key(content, password=None)
    except TypeError:
        raise ConfigError(
            f"{where}: {file} is encrypted with a passphrase, which cannot be typed here; give the key without one"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(f"{where}: {file} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)") from None
    return private.public_key()  # type: ignore[return-value]  # a Diffie-Hellman key, which matches no certificate


def _read(file: Path, *, where: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{where}: {file} cannot be read: {error.strerror}") from error


def _encode_public_key(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
