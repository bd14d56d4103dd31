"""Application tokens that were verified, so that the next request with one costs a look-up.

A record is one `bytes` and its name a keyed hash of the token: about 180 bytes a token, 18 MB for the 100,000 that are
kept at most. The hash is keyed with a secret of this process, so that no one can search for a second token with the
same one.
"""

import hashlib
import secrets
import struct
from typing import Final, NamedTuple

MAX_TOKENS: Final = 100_000
# Found by their text alone, without hashing it; beyond that all are hashed again.
_HOT_TOKENS: Final = 512
_HASH_BYTES: Final = 12
_HEAD: Final = struct.Struct("<IIH")
_NONCE_BYTES: Final = 16


class RememberedToken(NamedTuple):  # made for each request: a frozen dataclass takes three times as long to make
    """`serial` is that of the snapshot against which it was checked last. `nonce` is "" for a service token's."""

    valid_until: int
    serial: int
    aud: str
    nonce: str
    email: str


class RememberedTokens:
    """Two generations: the younger one becomes the older when it holds half of what may be kept."""

    def __init__(self, limit: int = MAX_TOKENS) -> None:
        self._half = max(1, limit // 2)
        self._keyed = hashlib.sha256(secrets.token_bytes(32))
        self._hot: dict[str, RememberedToken] = {}
        self._young: dict[bytes, bytes] = {}
        self._old: dict[bytes, bytes] = {}
        self._auds: list[str] = []
        self._aud_numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def find(self, token: str, now: int) -> RememberedToken | None:
        """None for a token that is not known or has expired."""
        hot = self._hot.get(token)
        if hot is not None and now < hot.valid_until:
            return hot
        digest = self._hash(token)
        record = self._young.get(digest)
        if record is None:
            record = self._old.pop(digest, None)
            if record is None:
                return None
            self._keep(digest, record)
        valid_until, serial, number = _HEAD.unpack_from(record)
        if now >= valid_until:
            self._young.pop(digest, None)
            self._hot.pop(token, None)
            return None
        nonce_end = _HEAD.size + _NONCE_BYTES
        nonce = record[_HEAD.size : nonce_end].decode("ascii").rstrip()
        found = RememberedToken(valid_until, serial, self._auds[number], nonce, record[nonce_end:].decode())
        if len(self._hot) >= _HOT_TOKENS:
            self._hot.clear()
        self._hot[token] = found
        return found

    def remember(self, token: str, entry: RememberedToken) -> None:
        """A nonce that has not 16 characters (the older shape) is not kept: the next request verifies again."""
        if len(entry.nonce) not in (0, _NONCE_BYTES) or not entry.nonce.isascii():
            return
        number = self._aud_numbers.get(entry.aud)
        if number is None:
            if len(self._auds) > 0xFFFF:
                return
            number = self._aud_numbers[entry.aud] = len(self._auds)
            self._auds.append(entry.aud)
        head = _HEAD.pack(min(entry.valid_until, 0xFFFFFFFF), entry.serial & 0xFFFFFFFF, number)
        self._hot.pop(token, None)
        record = head + entry.nonce.ljust(_NONCE_BYTES).encode("ascii") + entry.email.encode()
        self._keep(self._hash(token), record)

    def forget(self, token: str) -> None:
        digest = self._hash(token)
        self._hot.pop(token, None)
        self._young.pop(digest, None)
        self._old.pop(digest, None)

    def _keep(self, digest: bytes, record: bytes) -> None:
        self._young[digest] = record
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}

    def _hash(self, token: str) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(token.encode("utf-8", "surrogateescape"))
        return keyed.digest()[:_HASH_BYTES]
