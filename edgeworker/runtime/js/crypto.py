"""`crypto`: random values, digests and HMAC. Source: https://www.w3.org/TR/webcrypto/

Other algorithms say that they are not emulated; Python's own `cryptography` is there for them.
"""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from edgeworker.runtime.ffi import JsException
from edgeworker.runtime.js.base import type_error
from edgeworker.runtime.js.buffers import ArrayBuffer, to_bytes
from edgeworker.runtime.unsupported import NotEmulated

_DIGESTS: Final = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512", "MD5": "md5"}


@dataclass(frozen=True, slots=True)
class CryptoKey:
    algorithm: str
    hash: str
    secret: bytes = field(repr=False)
    type: str = "secret"
    extractable: bool = False


class SubtleCrypto:
    async def digest(self, algorithm: object, source: object) -> ArrayBuffer:
        return ArrayBuffer(hashlib.new(_digest(algorithm), to_bytes(source)).digest())

    async def importKey(
        self, kind: str, source: object, algorithm: object, extractable: bool = False, _usages: object = ()
    ) -> CryptoKey:
        if _name(algorithm) != "HMAC" or kind != "raw":
            raise NotEmulated(
                f"crypto.subtle.importKey({kind!r}, {_name(algorithm)}) is not emulated: only raw HMAC keys"
            )
        inner = algorithm.get("hash") if isinstance(algorithm, Mapping) else None
        return CryptoKey("HMAC", _digest(inner), to_bytes(source), extractable=extractable)

    async def sign(self, _algorithm: object, key: CryptoKey, source: object) -> ArrayBuffer:
        return ArrayBuffer(hmac.digest(key.secret, to_bytes(source), key.hash))

    async def verify(self, _algorithm: object, key: CryptoKey, signature: object, source: object) -> bool:
        return hmac.compare_digest(hmac.digest(key.secret, to_bytes(source), key.hash), to_bytes(signature))

    def timingSafeEqual(self, one: object, other: object) -> bool:
        left, right = to_bytes(one), to_bytes(other)
        if len(left) != len(right):
            raise type_error("Input buffers must have the same byte length")
        return hmac.compare_digest(left, right)

    def __getattr__(self, name: str) -> object:
        raise NotEmulated(f"crypto.subtle.{name} is not emulated by edgeworker; use Python's `cryptography`")


class Crypto:
    def __init__(self) -> None:
        self.subtle = SubtleCrypto()

    def randomUUID(self) -> str:
        return str(uuid.uuid4())

    def getRandomValues(self, array: object) -> object:
        """Fills the array and answers it. At most 65536 bytes, as in the standard."""
        if not isinstance(array, bytearray):
            raise type_error("crypto.getRandomValues() takes a typed array of whole numbers")
        if len(array) > 65536:
            raise JsException("QuotaExceededError", "getRandomValues() only accepts buffers of size <= 64K")
        array[:] = secrets.token_bytes(len(array))
        return array


def _name(algorithm: object) -> str:
    name = algorithm.get("name") if isinstance(algorithm, Mapping) else algorithm
    return str(name).upper()


def _digest(algorithm: object) -> str:
    found = _DIGESTS.get(_name(algorithm))
    if found is None:
        raise JsException(
            "NotSupportedError", f"Unrecognized or unimplemented digest algorithm requested: {_name(algorithm)}"
        )
    return found
