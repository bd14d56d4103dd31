"""Passwords at rest: argon2id where cryptography has it, else scrypt. Pure, slow on purpose.

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

# A record must not be able to ask for more: every wrong password costs it.
_MOST_KIB: Final = 131_072
_MOST_PASSES: Final = 10
_MOST_LOG2_N: Final = 17
_MOST_R: Final = 16

# What is hashed against where there is no user, so that it takes as long. Nobody knows a password for it.
_NO_HASH: Final = "A" * 43
_DUMMIES: Final[dict[Scheme, str]] = {
    "argon2id": f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${_NO_HASH}",
    "scrypt": f"$scrypt$ln=15,r=8,p=3${'A' * 22}${_NO_HASH}",
}


class BadPassword(ValueError):
    """A password that cannot be set. The text says what would be right, and never quotes it."""


class BadHash(ValueError):
    """A stored hash that cannot be checked here: malformed, too costly, or of a scheme that is not there."""


def check(password: str) -> None:
    """Raises BadPassword for what is too short or too long to be set."""
    if len(_encoded(password)) > MAX_BYTES:
        raise BadPassword(f"a password has at most {MAX_BYTES} bytes")
    if len(_normal(password)) < MIN_LENGTH:
        raise BadPassword(f"a password has at least {MIN_LENGTH} characters")


def make(password: str, *, scheme: Scheme | None = None) -> str:
    """The PHC string to keep. `scheme` None takes the best that is there; scrypt is there everywhere.

    Raises:
        BadPassword: see `check`.
        BadHash: `scheme` is not there.
    """
    check(password)
    salt = secrets.token_bytes(_SALT_BYTES)
    chosen = best() if scheme is None else scheme
    return _parsed(_DUMMIES[chosen]).text(password, salt)


def matches(stored: str, password: str) -> bool:
    """Whether `password` is the one that `stored` was made of. Takes equally long either way.

    Raises:
        BadHash: nobody can log in with `stored`.
    """
    known = _parsed(stored)
    found = known.derive(password if (fits := len(_encoded(password)) <= MAX_BYTES) else "")
    return hmac.compare_digest(found, known.expected) and fits


def dummy() -> str:
    """A hash that no password matches, which costs what a new one costs."""
    return _DUMMIES[best()]


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
            raise BadHash("argon2id is not there; it needs cryptography with OpenSSL 3.2. Use scrypt") from None
        return kdf.derive(_encoded(password))

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
        return Scrypt(salt=self._salt, length=len(self.expected), n=1 << log2_n, r=r, p=p).derive(_encoded(password))

    def text(self, password: str, salt: bytes) -> str:
        log2_n, r, p = self._costs
        fresh = _Scrypt(log2_n, r, p, salt, self.expected).derive(password)
        return f"$scrypt$ln={log2_n},r={r},p={p}${_base64(salt)}${_base64(fresh)}"


def check_hash(stored: str) -> None:
    """Raises BadHash for what is no PHC string of a scheme and of costs that are allowed here."""
    _parsed(stored)


def _parsed(stored: str) -> _Argon2id | _Scrypt:
    if match := _ARGON2ID.fullmatch(stored):
        kib, passes, lanes = int(match[1]), int(match[2]), int(match[3])
        # At least 8 KiB for each lane (RFC 9106 section 3.1).
        if 8 * lanes <= kib <= _MOST_KIB and passes <= _MOST_PASSES:
            return _Argon2id(kib, passes, lanes, _bytes(match[4]), _bytes(match[5]))
    elif match := _SCRYPT.fullmatch(stored):
        log2_n, r, p = int(match[1]), int(match[2]), int(match[3])
        if log2_n <= _MOST_LOG2_N and r <= _MOST_R:
            return _Scrypt(log2_n, r, p, _bytes(match[4]), _bytes(match[5]))
    raise BadHash('a password is kept as a PHC string, "$argon2id$v=19$m=…" or "$scrypt$ln=…", of bounded costs')


def _normal(password: str) -> str:
    """NFC, so that one password typed on two keyboards is one (RFC 8265 section 4.2.2)."""
    return unicodedata.normalize("NFC", password)


def _encoded(password: str) -> bytes:
    # A megabyte is not normalised before it is found to be too long; NFC makes a text at most three times longer.
    normal = _normal(password) if len(password) <= MAX_BYTES else password
    return normal.encode("utf-8", "surrogatepass")


def _base64(content: bytes) -> str:
    return binascii.b2a_base64(content, newline=False).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise BadHash("the salt or the hash of a PHC string is not base64") from None
