"""Hashes of passwords: argon2id if cryptography has it, else scrypt. Pure; slow on purpose.

A hash is a PHC string (https://github.com/P-H-C/phc-string-format). Costs: OWASP's Password Storage Cheat Sheet,
argon2id with 19 MiB, 2 passes, 1 lane; scrypt with N=2^15, r=8, p=3, which is rated as strong as N=2^17, r=8, p=1 but
needs 32 MiB instead of 128, which is all that an isolate of Cloudflare has.
"""

import base64
import binascii
import hmac
import re
import secrets
import unicodedata
from functools import cache
from typing import Final, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

Scheme = Literal["argon2id", "scrypt"]

MIN_LENGTH: Final = 8  # characters; NIST SP 800-63B section 5.1.1.2
MAX_BYTES: Final = 1024

_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32

_ARGON2ID: Final = re.compile(
    r"\$argon2id\$v=19\$m=([1-9][0-9]{0,6}),t=([1-9][0-9]?),p=([1-9])\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})"
)
_SCRYPT: Final = re.compile(
    r"\$scrypt\$ln=([1-9][0-9]?),r=([1-9][0-9]?),p=([1-9])\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})"
)

# No record may cost more than this: each wrong password costs it.
_MOST_KIB: Final = 131_072
_MOST_PASSES: Final = 10
_MOST_LOG2_N: Final = 17
_MOST_R: Final = 16

# The hashes that a password is compared with if there is no such user. No password matches.
_NO_HASH: Final = "A" * 43
_DUMMIES: Final[dict[Scheme, str]] = {
    "argon2id": f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${_NO_HASH}",
    "scrypt": f"$scrypt$ln=15,r=8,p=3${'A' * 22}${_NO_HASH}",
}


class BadPassword(ValueError):
    """An unacceptable new password. The text says what would be right, and never quotes it."""


class BadHash(ValueError):
    """A stored hash that cannot be checked here: malformed, too costly, or of an unavailable scheme."""


def check(password: str) -> None:
    """Raises BadPassword if it is too short or too long."""
    if len(_encode(password)) > MAX_BYTES:
        raise BadPassword(f"a password has at most {MAX_BYTES} bytes")
    if len(_normal(password)) < MIN_LENGTH:
        raise BadPassword(f"a password has at least {MIN_LENGTH} characters")


def make(password: str, *, scheme: Scheme | None = None) -> str:
    """The PHC string to store. `scheme` None means the best that is available; scrypt always is.

    Raises:
        BadPassword: see `check`.
        BadHash: `scheme` is not available.
    """
    check(password)
    salt = secrets.token_bytes(_SALT_BYTES)
    chosen = best() if scheme is None else scheme
    return _parse(_DUMMIES[chosen]).text(password, salt)


def matches(stored: str, password: str) -> bool:
    """Whether `password` is the one that `stored` was made of. Takes equally long either way.

    Raises:
        BadHash: `stored` is unusable.
    """
    known = _parse(stored)
    found = known.derive(password if (fits := len(_encode(password)) <= MAX_BYTES) else "")
    return hmac.compare_digest(found, known.expected) and fits


def authenticate(stored: str | None, password: str) -> bool:
    """As `matches`, for a login: `stored` None means that there is no such user.

    Each call hashes once with every available scheme, so its time does not tell which scheme a user has, nor whether
    there is one.

    Raises:
        BadHash: `stored` is unusable. It takes the same time.
    """
    own = None if stored is None else scheme_of(stored)
    for scheme in available():
        if scheme != own:
            matches(_DUMMIES[scheme], password)
    if stored is None:
        return False
    try:
        return matches(stored, password)
    except BadHash:
        if own is not None and own in available():
            matches(_DUMMIES[own], password)
        raise


def dummy() -> str:
    """A hash that no password matches, with the costs of a new one."""
    return _DUMMIES[best()]


def scheme_of(stored: str) -> Scheme | None:
    """The scheme of a PHC string, None for another text."""
    return next((scheme for scheme in _DUMMIES if stored.startswith(f"${scheme}$")), None)


def is_outdated(stored: str) -> bool:
    """Whether a new hash would have another scheme or other costs."""
    return stored.rsplit("$", 2)[0] != dummy().rsplit("$", 2)[0]


def available() -> tuple[Scheme, ...]:
    """All schemes that work here."""
    return ("argon2id", "scrypt") if best() == "argon2id" else ("scrypt",)


@cache
def best() -> Scheme:
    """argon2id needs OpenSSL 3.2 in the cryptography package; Pyodide's is older."""
    try:
        _Argon2id(19_456, 2, 1, b"\0" * _SALT_BYTES, b"\0" * _HASH_BYTES).derive("")
    except BadHash:
        return "scrypt"
    return "argon2id"


class _Argon2id:
    def __init__(self, kib: int, passes: int, lanes: int, salt: bytes, expected: bytes) -> None:
        self._costs = (kib, passes, lanes)
        self._salt = salt
        self.expected = expected

    def derive(self, password: str) -> bytes:
        kib, passes, lanes = self._costs
        try:
            from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

            kdf = Argon2id(salt=self._salt, length=len(self.expected), iterations=passes, lanes=lanes, memory_cost=kib)
        except (ImportError, UnsupportedAlgorithm):
            raise BadHash("argon2id is not available; it needs cryptography with OpenSSL 3.2. Use scrypt") from None
        return kdf.derive(_encode(password))

    def text(self, password: str, salt: bytes) -> str:
        kib, passes, lanes = self._costs
        fresh = _Argon2id(kib, passes, lanes, salt, self.expected).derive(password)
        return f"$argon2id$v=19$m={kib},t={passes},p={lanes}${_base64(salt)}${_base64(fresh)}"


class _Scrypt:
    def __init__(self, log2_n: int, r: int, p: int, salt: bytes, expected: bytes) -> None:
        self._costs = (log2_n, r, p)
        self._salt = salt
        self.expected = expected

    def derive(self, password: str) -> bytes:
        log2_n, r, p = self._costs
        return Scrypt(salt=self._salt, length=len(self.expected), n=1 << log2_n, r=r, p=p).derive(_encode(password))

    def text(self, password: str, salt: bytes) -> str:
        log2_n, r, p = self._costs
        fresh = _Scrypt(log2_n, r, p, salt, self.expected).derive(password)
        return f"$scrypt$ln={log2_n},r={r},p={p}${_base64(salt)}${_base64(fresh)}"


def check_hash(stored: str) -> None:
    """Raises BadHash unless it is a PHC string of a known scheme with allowed costs."""
    _parse(stored)


def _parse(stored: str) -> _Argon2id | _Scrypt:
    if match := _ARGON2ID.fullmatch(stored):
        kib, passes, lanes = int(match[1]), int(match[2]), int(match[3])
        # At least 8 KiB for each lane (RFC 9106 section 3.1).
        if 8 * lanes <= kib <= _MOST_KIB and passes <= _MOST_PASSES:
            return _Argon2id(kib, passes, lanes, _bytes(match[4]), _bytes(match[5]))
    elif match := _SCRYPT.fullmatch(stored):
        log2_n, r, p = int(match[1]), int(match[2]), int(match[3])
        if log2_n <= _MOST_LOG2_N and r <= _MOST_R:
            return _Scrypt(log2_n, r, p, _bytes(match[4]), _bytes(match[5]))
    raise BadHash('a password hash is a PHC string, "$argon2id$v=19$m=…" or "$scrypt$ln=…", of bounded costs')


def _normal(password: str) -> str:
    """NFC, so that keyboards with different Unicode forms give one password (RFC 8265 section 4.2.2)."""
    return unicodedata.normalize("NFC", password)


def _encode(password: str) -> bytes:
    # A very long text is not normalized before it is refused; NFC makes a text at most three times longer.
    normal = _normal(password) if len(password) <= MAX_BYTES else password
    return normal.encode("utf-8", "surrogatepass")


def _base64(content: bytes) -> str:
    return binascii.b2a_base64(content, newline=False).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise BadHash("the salt or the hash of a PHC string is not base64") from None
