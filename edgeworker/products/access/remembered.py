"""Application tokens that were verified, so that the next request with one costs a look-up.

A record is one `bytes`, found by a number that Python makes of the text with a secret of this process (SipHash). Such a
number has 64 bits, too few against many tries; so a record also holds the end of its token, 72 bits of a signature,
which cannot be guessed without the token. About 190 bytes a token, 19 MB for the 100,000 that are kept at most.
"""

import hashlib
import os
import secrets
import struct
import sys
from typing import Final, NamedTuple

MAX_TOKENS: Final = 100_000
# Those found last are kept decoded; beyond this number all are dropped, and records are decoded again.
_HOT_TOKENS: Final = 512
_HEAD: Final = struct.Struct("<IIH16s12s")
_NONCE_LENGTH: Final = 16
_TAIL_LENGTH: Final = 12
# An operator who fixes the secret of all texts' hashes makes them predictable: https://docs.python.org/3/using/cmdline.html
_IS_SECRET: Final = sys.hash_info.algorithm.startswith("siphash") and os.environ.get("PYTHONHASHSEED", "random") in (
    "",
    "random",
)


class RememberedToken(NamedTuple):  # made for each request: a frozen dataclass takes three times as long to make
    """`serial` is that of the snapshot against which it was checked last. `nonce` is "" for a service token's."""

    valid_until: int
    serial: int
    aud: str
    nonce: str
    email: str


class RememberedTokens:
    """Two generations: the younger one becomes the older when it holds half of what may be kept."""

    def __init__(self, limit: int = MAX_TOKENS, *, is_hash_secret: bool = _IS_SECRET) -> None:
        """`is_hash_secret`: whether no one knows how this process hashes texts."""
        self._half = max(1, limit // 2)
        self._number = hash if is_hash_secret else self._keyed_number
        self._key = secrets.token_bytes(32)
        self._hot: dict[str, RememberedToken] = {}
        self._young: dict[int, bytes] = {}
        self._old: dict[int, bytes] = {}
        self._auds: list[str] = []
        self._aud_numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def find(self, token: str, now: int) -> RememberedToken | None:
        """None for a token that is not known or has expired."""
        hot = self._hot.get(token)
        if hot is not None and now < hot.valid_until:
            return hot
        number = self._number(token)
        record = self._young.get(number)
        if record is None:
            record = self._old.get(number)
            if record is None:
                return None
            del self._old[number]
            self._keep(number, record)
        valid_until, serial, aud, nonce, tail = _HEAD.unpack_from(record)
        if tail != token[-_TAIL_LENGTH:].encode("utf-8", "surrogatepass"):
            return None
        if now >= valid_until:
            self._young.pop(number, None)
            self._hot.pop(token, None)
            return None
        found = RememberedToken._make(
            (valid_until, serial, self._auds[aud], nonce.decode().rstrip(), record[_HEAD.size :].decode())
        )
        if len(self._hot) >= _HOT_TOKENS:
            self._hot.clear()
        self._hot[token] = found
        return found

    def remember(self, token: str, entry: RememberedToken) -> None:
        """A nonce that has not 16 characters (the older shape) is not kept: the next request verifies again."""
        if len(entry.nonce) not in (0, _NONCE_LENGTH) or not entry.nonce.isascii():
            return
        if len(token) < _TAIL_LENGTH or not token.isascii():
            return
        aud = self._aud_numbers.get(entry.aud)
        if aud is None:
            if len(self._auds) > 0xFFFF:
                return
            aud = self._aud_numbers[entry.aud] = len(self._auds)
            self._auds.append(entry.aud)
        head = _HEAD.pack(
            min(entry.valid_until, 0xFFFFFFFF),
            entry.serial & 0xFFFFFFFF,
            aud,
            entry.nonce.ljust(_NONCE_LENGTH).encode("ascii"),
            token[-_TAIL_LENGTH:].encode("ascii"),
        )
        self._hot.pop(token, None)
        self._keep(self._number(token), head + entry.email.encode())

    def forget(self, token: str) -> None:
        number = self._number(token)
        self._hot.pop(token, None)
        self._young.pop(number, None)
        self._old.pop(number, None)

    def _keep(self, number: int, record: bytes) -> None:
        self._young[number] = record
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}

    def _keyed_number(self, token: str) -> int:
        data = token.encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(data, key=self._key, digest_size=8).digest(), "little")
