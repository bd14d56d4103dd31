"""`crypto.subtle`: finds the algorithm by its name and checks that the key may be used so."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final

from edgeworker.runtime.webapi.base import is_absent, type_error
from edgeworker.runtime.webapi.buffers import ArrayBuffer, is_buffer, to_bytes
from edgeworker.runtime.webapi.crypto import aes, curves, edwards, rsa, secret
from edgeworker.runtime.webapi.crypto.keys import (
    HASHES,
    Algorithm,
    CipherKeys,
    CryptoKey,
    CryptoKeyPair,
    DerivationKeys,
    KeyKind,
    SignatureKeys,
    Sized,
    data_error,
    invalid_access,
    known_hash,
    name_of,
    normalised,
    not_supported,
    usages_of,
)
from edgeworker.runtime.webapi.data import as_objects
from edgeworker.runtime.webapi.json import stringify
from edgeworker.runtime.webapi.surplus import javascript_class

KINDS: Final[Mapping[str, KeyKind]] = {
    "AES-CBC": aes.CBC(),
    "AES-CTR": aes.CTR(),
    "AES-GCM": aes.GCM(),
    "AES-KW": aes.KW(),
    "ECDH": curves.ECDH(),
    "ECDSA": curves.ECDSA(),
    "Ed25519": edwards.Ed25519(),
    "HKDF": secret.HKDFKind(),
    "HMAC": secret.HMAC(),
    "NODE-ED25519": edwards.Ed25519("NODE-ED25519"),
    "PBKDF2": secret.PBKDF2(),
    "RSA-OAEP": rsa.Encrypting(),
    "RSA-PSS": rsa.SigningPSS("RSA-PSS", "PS"),
    "RSASSA-PKCS1-v1_5": rsa.Signing("RSASSA-PKCS1-v1_5", "RS"),
    "X25519": edwards.X25519(),
}
_SPELLED: Final = {name.upper(): name for name in KINDS}


@javascript_class
class SubtleCrypto:
    """Errors are JsException with the names and texts of workerd."""

    async def digest(self, algorithm: object, data: object) -> ArrayBuffer:
        digest = known_hash(normalised(algorithm))
        return ArrayBuffer(hashlib.new(HASHES[digest][0], _buffer("digest", 2, data)).digest())

    async def importKey(
        self, format: object, keyData: object, algorithm: object, extractable: object = False, keyUsages: object = ()
    ) -> CryptoKey:
        given = normalised(algorithm)
        kind = _kind(given, "import")
        return _imported(kind, str(format), keyData, given, bool(extractable), keyUsages)

    async def exportKey(self, format: object, key: object) -> object:
        exported = _exported(str(format), _key("exportKey", 2, key))
        return ArrayBuffer(exported) if isinstance(exported, bytes) else as_objects(exported)

    async def generateKey(
        self, algorithm: object, extractable: object = False, keyUsages: object = ()
    ) -> CryptoKey | CryptoKeyPair:
        given = normalised(algorithm)
        return _kind(given, "generation").generate(given, bool(extractable), usages_of(keyUsages))

    async def sign(self, algorithm: object, key: object, data: object) -> ArrayBuffer:
        used, given, kind = _used("sign", algorithm, key)
        content = _buffer("sign", 3, data)
        return ArrayBuffer(_signer(kind, used).sign(given, used, content))

    async def verify(self, algorithm: object, key: object, signature: object, data: object) -> bool:
        used, given, kind = _used("verify", algorithm, key)
        shown, content = _buffer("verify", 3, signature), _buffer("verify", 4, data)
        return _signer(kind, used).verify(given, used, shown, content)

    async def encrypt(self, algorithm: object, key: object, data: object) -> ArrayBuffer:
        used, given, kind = _used("encrypt", algorithm, key)
        return ArrayBuffer(_cipher(kind, used).encrypt(given, used, _buffer("encrypt", 3, data)))

    async def decrypt(self, algorithm: object, key: object, data: object) -> ArrayBuffer:
        used, given, kind = _used("decrypt", algorithm, key)
        return ArrayBuffer(_cipher(kind, used).decrypt(given, used, _buffer("decrypt", 3, data)))

    async def deriveBits(self, algorithm: object, baseKey: object, length: object = None) -> ArrayBuffer:
        used, given, kind = _used("deriveBits", algorithm, baseKey)
        bits = int(length) if isinstance(length, int | float) else None
        return ArrayBuffer(_deriver(kind, used).derive(given, used, bits))

    async def deriveKey(
        self,
        algorithm: object,
        baseKey: object,
        derivedKeyAlgorithm: object,
        extractable: object = False,
        keyUsages: object = (),
    ) -> CryptoKey:
        used, given, kind = _used("deriveKey", algorithm, baseKey)
        wanted = normalised(derivedKeyAlgorithm)
        into = _kind(wanted, "import")
        if not isinstance(into, Sized):
            raise not_supported(f'Keys of "{name_of(wanted)}" cannot be derived.')
        material = _deriver(kind, used).derive(given, used, into.key_bits(wanted))
        return into.import_key("raw", material, wanted, bool(extractable), usages_of(keyUsages))

    async def wrapKey(self, format: object, key: object, wrappingKey: object, wrapAlgorithm: object) -> ArrayBuffer:
        used, given, kind = _used("wrapKey", wrapAlgorithm, wrappingKey)
        exported = _exported(str(format), _key("wrapKey", 2, key))
        content = exported if isinstance(exported, bytes) else stringify(exported).encode()
        return ArrayBuffer(_cipher(kind, used).encrypt(given, used, content))

    async def unwrapKey(
        self,
        format: object,
        wrappedKey: object,
        unwrappingKey: object,
        unwrapAlgorithm: object,
        unwrappedKeyAlgorithm: object,
        extractable: object = False,
        keyUsages: object = (),
    ) -> CryptoKey:
        used, given, kind = _used("unwrapKey", unwrapAlgorithm, unwrappingKey)
        wanted = normalised(unwrappedKeyAlgorithm)
        into = _kind(wanted, "import")
        content: object = _cipher(kind, used).decrypt(given, used, _buffer("unwrapKey", 2, wrappedKey))
        if format == "jwk":
            assert isinstance(content, bytes)
            try:
                content = json.loads(content)
            except ValueError:
                raise data_error("The unwrapped key is not a JSON Web Key.") from None
        return _imported(into, str(format), content, wanted, bool(extractable), keyUsages)

    def timingSafeEqual(self, a: object, b: object) -> bool:
        left, right = _buffer("timingSafeEqual", 1, a), _buffer("timingSafeEqual", 2, b)
        if len(left) != len(right):
            raise type_error("Input buffers must have the same byte length.")
        return hmac.compare_digest(left, right)


def _kind(algorithm: Algorithm, what: str) -> KeyKind:
    name = _SPELLED.get(name_of(algorithm).upper())
    if name is None:
        raise not_supported(f'Unrecognized key {what} algorithm "{name_of(algorithm)}" requested.')
    return KINDS[name]


def _imported(
    kind: KeyKind, form: str, data: object, algorithm: Algorithm, extractable: bool, usages: object
) -> CryptoKey:
    content = data if form == "jwk" else _buffer("importKey", 2, data)
    return kind.import_key(form, content, algorithm, extractable, usages_of(usages))


def _exported(form: str, key: CryptoKey) -> object:
    if not key.extractable:
        raise invalid_access(f"Attempt to export non-extractable {key.name} key.")
    return KINDS[key.name].export_key(form, key)


def _used(usage: str, algorithm: object, key: object) -> tuple[CryptoKey, Algorithm, KeyKind]:
    """The key, if it is one of that algorithm and may be used so. Raises JsException (InvalidAccessError)."""
    given, used = normalised(algorithm), _key(usage, 2, key)
    name = _SPELLED.get(name_of(given).upper(), name_of(given))
    if name != used.name:
        raise invalid_access(
            f'Requested algorithm "{name_of(given)}" does not match this CryptoKey\'s algorithm "{used.name}".'
        )
    if usage not in used.allowed:
        raise invalid_access(f'Requested key usage "{usage}" does not match any usage listed in this CryptoKey.')
    return used, given, KINDS[used.name]


def _signer(kind: KeyKind, key: CryptoKey) -> SignatureKeys:
    if not isinstance(kind, SignatureKeys):
        raise not_supported(f'The sign operation is not implemented for "{key.name}".')
    return kind


def _cipher(kind: KeyKind, key: CryptoKey) -> CipherKeys:
    if not isinstance(kind, CipherKeys):
        raise not_supported(f'The encrypt operation is not implemented for "{key.name}".')
    return kind


def _deriver(kind: KeyKind, key: CryptoKey) -> DerivationKeys:
    if not isinstance(kind, DerivationKeys):
        raise not_supported(f'The deriveBits operation is not implemented for "{key.name}".')
    return kind


def _key(method: str, position: int, key: object) -> CryptoKey:
    if not isinstance(key, CryptoKey):
        raise type_error(
            f"Failed to execute '{method}' on 'SubtleCrypto': parameter {position} is not of type 'CryptoKey'."
        )
    return key


def _buffer(method: str, position: int, data: object) -> bytes:
    if is_absent(data) or not is_buffer(data):
        raise type_error(
            f"Failed to execute '{method}' on 'SubtleCrypto': parameter {position} is not of type 'JsBufferSource'."
        )
    return to_bytes(data)
