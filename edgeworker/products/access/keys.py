"""The organization's signing keys: which one signs, which verify, what is published, and rotation. Pure but for making
a key.

There are always two in the published set. After a rotation these are the current and the previous key; seven days later
the previous one is retired, and the key that will sign next takes its place, so that verifiers know it beforehand.
"""

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from edgeworker.config import JSON
from edgeworker.errors import StoreError
from edgeworker.products.access.config import DAY_SECONDS, GRACE_SECONDS
from edgeworker.products.access.jws import encode_base64url

_KEY_BITS: Final = 2048
_EXPONENT: Final = 65537
_CERTIFICATE_DAYS: Final = 3650


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`kid` has 64 hexadecimal digits, `certificate` is PEM."""

    kid: str
    certificate: str
    private: rsa.RSAPrivateKey = field(repr=False)
    public: rsa.RSAPublicKey = field(repr=False)

    @property
    def jwk(self) -> dict[str, JSON]:
        """Exactly the members that Cloudflare publishes."""
        numbers = self.public.public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        return {
            "kid": self.kid,
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "e": encode_base64url(numbers.e.to_bytes(3, "big")),
            "n": encode_base64url(numbers.n.to_bytes(size, "big")),
        }


@dataclass(frozen=True, slots=True)
class KeySet:
    """`rotated_at` is when `current` began to sign, epoch seconds."""

    current: SigningKey
    rotated_at: int
    previous: SigningKey | None = None
    upcoming: SigningKey | None = None

    def published_keys(self, now: int) -> tuple[SigningKey, ...]:
        """The current key first."""
        other = self.previous if self.is_in_grace(now) else self.upcoming
        return (self.current,) if other is None else (self.current, other)

    def is_in_grace(self, now: int) -> bool:
        return self.previous is not None and now < self.rotated_at + GRACE_SECONDS

    def find(self, kid: str, now: int) -> tuple[SigningKey, int | None] | None:
        """The key with this id while it verifies, and until when (None: for now without an end)."""
        if kid == self.current.kid:
            return self.current, None
        if self.previous is not None and kid == self.previous.kid and self.is_in_grace(now):
            return self.previous, self.rotated_at + GRACE_SECONDS
        return None

    def is_due(self, now: int, interval_days: int) -> bool:
        return now >= self.rotated_at + interval_days * DAY_SECONDS

    def needs_upcoming(self, now: int) -> bool:
        return self.upcoming is None and not self.is_in_grace(now)

    def rotate(self, fresh: SigningKey, now: int) -> "KeySet":
        """The key that was announced signs from now on, or `fresh` where none was."""
        return KeySet(self.upcoming or fresh, now, previous=self.current)

    def with_upcoming(self, fresh: SigningKey) -> "KeySet":
        return KeySet(self.current, self.rotated_at, upcoming=fresh)


def make_key(auth_domain: str, *, now: int) -> SigningKey:
    """A new RSA key with its self-signed certificate. Takes a fraction of a second of CPU: call it in a thread."""
    private = rsa.generate_private_key(public_exponent=_EXPONENT, key_size=_KEY_BITS)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Cloudflare, Inc."),
            x509.NameAttribute(NameOID.COMMON_NAME, auth_domain[:64]),
        ]
    )
    begin = datetime.datetime.fromtimestamp(max(0, now - DAY_SECONDS), datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=_CERTIFICATE_DAYS))
        .sign(private, hashes.SHA256())
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
    return SigningKey(hashlib.sha256(der).hexdigest(), pem, private, private.public_key())


def certs(keys: KeySet, *, now: int, swap: bool) -> dict[str, JSON]:
    """What `/cdn-cgi/access/certs` answers. `swap` puts the current key second: the order means nothing."""
    shown = list(keys.published_keys(now))
    if swap:
        shown.reverse()
    pairs: list[JSON] = [{"kid": key.kid, "cert": key.certificate} for key in shown]
    return {
        "keys": [key.jwk for key in shown],
        "public_cert": {"kid": keys.current.kid, "cert": keys.current.certificate},
        "public_certs": pairs,
    }


def to_document(keys: KeySet) -> dict[str, JSON]:
    """For the state's database, which only its owner can read."""

    def serialize_key(key: SigningKey | None) -> JSON:
        if key is None:
            return None
        pem = key.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {"kid": key.kid, "certificate": key.certificate, "private": pem.decode("ascii")}

    return {
        "rotated_at": keys.rotated_at,
        "current": serialize_key(keys.current),
        "previous": serialize_key(keys.previous),
        "upcoming": serialize_key(keys.upcoming),
    }


def from_document(value: Mapping[str, JSON]) -> KeySet:
    """Raises StoreError for a document that holds no keys."""
    current, rotated_at = _parse_key(value.get("current")), value.get("rotated_at")
    if current is None or not isinstance(rotated_at, int):
        raise StoreError("the document with Access's signing keys is damaged; remove it and new keys are made")
    return KeySet(current, rotated_at, _parse_key(value.get("previous")), _parse_key(value.get("upcoming")))


def _parse_key(value: JSON) -> SigningKey | None:
    match value:
        case {"kid": str(kid), "certificate": str(certificate), "private": str(pem)}:
            private = _load_private(pem)
            if private is not None:
                return SigningKey(kid, certificate, private, private.public_key())
        case _:
            pass
    return None


# Each change of an Access object reads the document again, on the loop, and to check one key takes 30 ms of CPU.
@lru_cache(maxsize=8)
def _load_private(pem: str) -> rsa.RSAPrivateKey | None:
    try:
        private = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return private if isinstance(private, rsa.RSAPrivateKey) else None
