"""NaCl's `crypto_box`, in which cloudflared gets its tokens: X25519, XSalsa20 and Poly1305. Pure.

X25519 and Poly1305 are cryptography's; it has no XSalsa20. Only what the edge itself makes is encrypted here, some
kilobytes at a login. Source: https://nacl.cr.yp.to/ and https://cr.yp.to/snuffle/xsalsa-20110204.pdf
"""

import struct
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.poly1305 import Poly1305

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 24
_SIGMA: Final = struct.unpack("<4I", b"expand 32-byte k")
_MASK: Final = 0xFFFFFFFF
# The words of each quarter round: of a column round, then of a row round.
_COLUMNS: Final = ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11))
_ROWS: Final = ((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14))


def seal(message: bytes, *, nonce: bytes, recipient: bytes, private: X25519PrivateKey) -> bytes:
    """The authenticated ciphertext. Raises ValueError for a `recipient` that is not a public key."""
    shared = private.exchange(X25519PublicKey.from_public_bytes(recipient))
    key = _hsalsa20(_hsalsa20(shared, bytes(16)), nonce[:16])
    stream = b"".join(
        _salsa20_block(key, nonce[16:], number) for number in range((len(message) + KEY_BYTES + 63) // 64)
    )
    encrypted = bytes(a ^ b for a, b in zip(message, stream[KEY_BYTES:], strict=False))
    return Poly1305.generate_tag(stream[:KEY_BYTES], encrypted) + encrypted


def _rounds(state: list[int]) -> list[int]:
    words = list(state)
    for _ in range(10):
        for a, b, c, d in (*_COLUMNS, *_ROWS):
            words[b] ^= _left(words[a] + words[d], 7)
            words[c] ^= _left(words[b] + words[a], 9)
            words[d] ^= _left(words[c] + words[b], 13)
            words[a] ^= _left(words[d] + words[c], 18)
    return words


def _left(word: int, bits: int) -> int:
    word &= _MASK
    return (word << bits | word >> (32 - bits)) & _MASK


def _state(key: bytes, middle: bytes) -> list[int]:
    k, n = struct.unpack("<8I", key), struct.unpack("<4I", middle)
    return [_SIGMA[0], *k[:4], _SIGMA[1], *n, _SIGMA[2], *k[4:], _SIGMA[3]]


def _hsalsa20(key: bytes, nonce: bytes) -> bytes:
    words = _rounds(_state(key, nonce))
    return struct.pack("<8I", *(words[index] for index in (0, 5, 10, 15, 6, 7, 8, 9)))


def _salsa20_block(key: bytes, nonce: bytes, number: int) -> bytes:
    state = _state(key, nonce + struct.pack("<Q", number))
    return struct.pack("<16I", *((a + b) & _MASK for a, b in zip(state, _rounds(state), strict=True)))
