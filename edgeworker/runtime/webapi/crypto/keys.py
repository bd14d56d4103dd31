"""Keys of WebCrypto, and what every algorithm asks of its arguments. Texts are workerd's, see the recorded cases."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from edgeworker.runtime.webapi.array_methods import JsArray
from edgeworker.runtime.webapi.arrays import make_array
from edgeworker.runtime.webapi.base import JsObject, is_absent, type_error
from edgeworker.runtime.webapi.buffers import to_bytes
from edgeworker.runtime.webapi.ffi import JsDict, JsException
from edgeworker.runtime.webapi.plain_objects import as_js
from edgeworker.runtime.webapi.plain_proxy import fields_of

USAGES: Final = ("encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey")
# name -> (name of hashlib, bits of the digest, bits of the block)
HASHES: Final = {
    "SHA-1": ("sha1", 160, 512),
    "SHA-256": ("sha256", 256, 512),
    "SHA-384": ("sha384", 384, 1024),
    "SHA-512": ("sha512", 512, 1024),
    "MD5": ("md5", 128, 512),
}

Algorithm = Mapping[str, object]
Usages = tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class CryptoKey(JsObject):
    """`material` is bytes, or a key object of `cryptography`; nothing prints it."""

    type: str
    algorithm: JsDict
    extractable: bool
    allowed: Usages
    material: object = field(repr=False)

    @property
    def name(self) -> str:
        return str(self.algorithm["name"])

    @property
    def usages(self) -> JsArray:
        return make_array(self.allowed)

    def __repr__(self) -> str:
        return f"CryptoKey(type={self.type!r}, algorithm={self.name!r})"


@dataclass(frozen=True, slots=True)
class CryptoKeyPair(JsObject):
    """What `generateKey` gives for an asymmetric algorithm."""

    publicKey: CryptoKey
    privateKey: CryptoKey


class KeyKind(Protocol):
    """What every algorithm with keys can do. `data` is bytes, or a mapping for "jwk"."""

    def import_key(
        self, form: str, data: object, algorithm: Algorithm, extractable: bool, usages: Usages
    ) -> CryptoKey: ...

    def export_key(self, form: str, key: CryptoKey) -> "bytes | JsDict":
        """`key` is extractable, or public."""
        ...

    def generate(self, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKey | CryptoKeyPair: ...


@runtime_checkable
class SignatureKeys(Protocol):
    def sign(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes: ...

    def verify(self, algorithm: Algorithm, key: CryptoKey, signature: bytes, data: bytes) -> bool: ...


@runtime_checkable
class CipherKeys(Protocol):
    def encrypt(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes: ...

    def decrypt(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes: ...


@runtime_checkable
class DerivationKeys(Protocol):
    def derive(self, algorithm: Algorithm, key: CryptoKey, bits: int | None) -> bytes: ...


@runtime_checkable
class Sized(Protocol):
    """An algorithm whose keys can be derived."""

    def key_bits(self, algorithm: Algorithm) -> int | None: ...


def data_error(text: str) -> JsException:
    return JsException("DataError", text)


def operation_error(text: str) -> JsException:
    return JsException("OperationError", text)


def not_supported(text: str) -> JsException:
    return JsException("NotSupportedError", text)


def invalid_access(text: str) -> JsException:
    return JsException("InvalidAccessError", text)


def normalised(algorithm: object) -> Algorithm:
    """A name alone, or an object with `name`. Raises JsException (TypeError)."""
    if isinstance(algorithm, str):
        return {"name": algorithm}
    algorithm = as_js(algorithm)
    if isinstance(algorithm, Mapping) and isinstance(algorithm.get("name"), str):
        return {str(name): value for name, value in algorithm.items()}
    raise type_error('Missing field "name" in "algorithm".')


def name_of(algorithm: Algorithm) -> str:
    return str(algorithm["name"])


def hash_name(algorithm: Algorithm) -> str:
    """The `hash` of an algorithm, in its usual spelling. Raises JsException."""
    given = algorithm.get("hash")
    if is_absent(given):
        raise type_error('Missing field "hash" in "algorithm".')
    return known_hash(normalised(given))


def known_hash(algorithm: Algorithm) -> str:
    name = name_of(algorithm).upper()
    if name not in HASHES:
        raise not_supported("Unrecognized or unimplemented digest algorithm requested.")
    return name


def hash_of(key: "CryptoKey") -> str:
    """The name of the hash that the key was made for."""
    return known_hash(normalised(key.algorithm["hash"]))


def bytes_field(algorithm: Algorithm, name: str) -> bytes:
    given = algorithm.get(name)
    if is_absent(given):
        raise type_error(f'Missing field "{name}" in "algorithm".')
    return to_bytes(given)


def int_field(algorithm: Algorithm, name: str, otherwise: int | None = None) -> int:
    given = algorithm.get(name)
    if is_absent(given) and otherwise is not None:
        return otherwise
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise type_error(f'Missing field "{name}" in "algorithm".')
    return int(given)


def usages_of(given: object) -> Usages:
    """Raises JsException (TypeError) for what is not a list."""
    if is_absent(given):
        return ()
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise type_error("keyUsages is a list of texts")
    return tuple(str(usage) for usage in given)


def checked(usages: Usages, allowed: Iterable[str], what: str, *, some: bool = False) -> Usages:
    """In the standard's order. `what` says what is imported; `some`: at least one is needed. Raises JsException."""
    for usage in usages:
        if usage not in allowed:
            raise JsException("SyntaxError", f'Attempt to {what} with invalid usage "{usage}".')
    if some and not usages:
        raise JsException("SyntaxError", "Secret/private CryptoKeys must have at least one usage.")
    return tuple(usage for usage in USAGES if usage in usages)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(jwk: Mapping[str, object], name: str, what: str) -> bytes:
    """A field of a JWK. Raises JsException (DataError)."""
    text = jwk.get(name)
    if not isinstance(text, str):
        raise data_error(f'{what}: missing field "{name}"')
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise data_error(f'{what}: field "{name}" is not base64url') from None


def number(jwk: Mapping[str, object], name: str, what: str) -> int:
    return int.from_bytes(decoded(jwk, name, what), "big")


def encoded_number(value: int, size: int | None = None) -> str:
    return encoded(value.to_bytes(size or max(1, (value.bit_length() + 7) // 8), "big"))


def as_jwk(data: object, name: str, kty: str, *, use: str | None = None) -> Mapping[str, object]:
    """A JWK of the right type and use. `use` None: a symmetric key. Raises JsException (DataError)."""
    data = fields_of(data)
    if not isinstance(data, Mapping):
        raise data_error(f'{name} "jwk" key import requires a JSON Web Key, not {type(data).__name__}.')
    if (given := data.get("kty")) != kty:
        raise data_error(
            f'{name} "jwk" key import requires a JSON Web Key with Key Type parameter ("kty") equal to "{kty}" '
            f'(encountered "{given}").'
        )
    if use is not None and not is_absent(given := data.get("use")) and given != use:
        raise data_error(
            'Asymmetric "jwk" key import with usages requires a JSON Web Key with Public Key Use parameter "use" '
            f'("{given}") equal to "{use}".'
        )
    return data


def jwk_of(key: CryptoKey, kty: str, alg: str | None, **fields: str) -> JsDict:
    jwk = JsDict(kty=kty, key_ops=make_array(key.allowed))
    if alg is not None:
        jwk["alg"] = alg
    jwk["ext"] = key.extractable
    jwk.update(fields)
    return jwk


def check_form(form: str, forms: Iterable[str]) -> None:
    if form not in forms:
        raise not_supported(f'Unrecognized key import format "{form}".')


def no_export(form: str) -> JsException:
    return not_supported(f'Unimplemented key export format "{form}".')
