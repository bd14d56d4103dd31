"""HMAC, and the keys of AES, PBKDF2 and HKDF: everything whose key is bytes."""

import hashlib
import hmac
import secrets
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edgeworker.runtime.webapi.base import is_absent
from edgeworker.runtime.webapi.crypto.keys import (
    HASHES,
    Algorithm,
    CryptoKey,
    Usages,
    as_jwk,
    bytes_field,
    check_form,
    checked,
    data_error,
    decoded,
    encoded,
    hash_name,
    hash_of,
    int_field,
    jwk_of,
    no_export,
    not_supported,
    operation_error,
)
from edgeworker.runtime.webapi.ffi import JsDict, JsException

HASH_CLASSES: Final[dict[str, type[HashAlgorithm]]] = {
    "SHA-1": SHA1,
    "SHA-256": SHA256,
    "SHA-384": SHA384,
    "SHA-512": SHA512,
}
# https://developers.cloudflare.com/workers/runtime-apis/web-crypto/#footnotes
MAX_ITERATIONS: Final = 100_000
_AES_BITS: Final = (128, 192, 256)


def secret_of(key: CryptoKey) -> bytes:
    assert isinstance(key.material, bytes)
    return key.material


def hash_class(name: str) -> HashAlgorithm:
    """Raises JsException for a digest that keys are not used with (MD5)."""
    if name not in HASH_CLASSES:
        raise not_supported("Unrecognized or unimplemented digest algorithm requested.")
    return HASH_CLASSES[name]()


class HMAC:
    def import_key(self, form: str, data: object, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKey:
        check_form(form, ("raw", "jwk"))
        allowed = checked(usages, ("sign", "verify"), "import secret HMAC key", some=True)
        name = hash_name(algorithm)
        if form == "jwk":
            jwk = as_jwk(data, "HMAC", "oct")
            if not is_absent(jwk.get("alg")) and jwk["alg"] != _hmac_alg(name):
                raise data_error(
                    'HMAC "jwk" key import specifies "alg" that is incompatible with the hash name '
                    f'(encountered "{jwk["alg"]}", expected "{_hmac_alg(name)}").'
                )
            material = decoded(jwk, "k", 'HMAC "jwk" key import')
        else:
            assert isinstance(data, bytes)
            material = data
        size = 8 * len(material)
        bits = int_field(algorithm, "length", size)
        if bits == 0 or not size - 8 < bits <= size:
            raise data_error(
                f"Imported HMAC key length ({bits}) must be a non-zero value up to 7 bits less than, and no greater "
                f"than, the bit length of the raw key data ({size})."
            )
        return self._made(name, bits, extractable, allowed, material)

    def generate(self, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKey:
        allowed = checked(usages, ("sign", "verify"), "generate HMAC key", some=True)
        name = hash_name(algorithm)
        bits = self.key_bits(algorithm)
        return self._made(name, bits, extractable, allowed, secrets.token_bytes((bits + 7) // 8))

    def export_key(self, form: str, key: CryptoKey) -> bytes | JsDict:
        match form:
            case "raw":
                return secret_of(key)
            case "jwk":
                return jwk_of(key, "oct", _hmac_alg(hash_of(key)), k=encoded(secret_of(key)))
            case _:
                raise no_export(form)

    def sign(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        return hmac.digest(secret_of(key), data, HASHES[hash_of(key)][0])

    def verify(self, algorithm: Algorithm, key: CryptoKey, signature: bytes, data: bytes) -> bool:
        return hmac.compare_digest(self.sign(algorithm, key, data), signature)

    def key_bits(self, algorithm: Algorithm) -> int:
        bits = int_field(algorithm, "length", HASHES[hash_name(algorithm)][2])
        if bits <= 0 or bits > 8 * 65_536:
            raise operation_error(f"Generated HMAC key length must be between 1 and 524288 bits, not {bits}.")
        return bits

    def _made(self, name: str, bits: int, extractable: bool, allowed: Usages, material: bytes) -> CryptoKey:
        algorithm = JsDict(name="HMAC", hash=JsDict(name=name), length=bits)
        return CryptoKey("secret", algorithm, extractable, allowed, material)


class AESKeys:
    """The keys of one mode; what it does with them stands in `aes`."""

    def __init__(self, name: str, usages: Usages) -> None:
        self.name = name
        self._usages = usages

    def import_key(self, form: str, data: object, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKey:
        check_form(form, ("raw", "jwk"))
        allowed = checked(usages, self._usages, f"import secret {self.name} key", some=True)
        if form == "jwk":
            jwk = as_jwk(data, "Symmetric", "oct")
            material = decoded(jwk, "k", 'Symmetric "jwk" key import')
            alg = jwk.get("alg")
            if not is_absent(alg) and 8 * len(material) in _AES_BITS and alg != self._alg(material):
                raise data_error(
                    f'Symmetric "jwk" key contains invalid "alg" value "{alg}", expected "{self._alg(material)}".'
                )
        else:
            assert isinstance(data, bytes)
            material = data
        if (bits := 8 * len(material)) not in _AES_BITS:
            raise data_error(f"Imported AES key length must be 128, 192, or 256 bits but provided {bits}.")
        return self._made(bits, extractable, allowed, material)

    def generate(self, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKey:
        allowed = checked(usages, self._usages, f"generate {self.name} key", some=True)
        bits = self.key_bits(algorithm)
        return self._made(bits, extractable, allowed, secrets.token_bytes(bits // 8))

    def export_key(self, form: str, key: CryptoKey) -> bytes | JsDict:
        match form:
            case "raw":
                return secret_of(key)
            case "jwk":
                material = secret_of(key)
                return jwk_of(key, "oct", self._alg(material), k=encoded(material))
            case _:
                raise no_export(form)

    def key_bits(self, algorithm: Algorithm) -> int:
        bits = int_field(algorithm, "length")
        if bits not in _AES_BITS:
            raise operation_error(f"Generated AES key length must be 128, 192, or 256 bits but requested {bits}.")
        return bits

    def _alg(self, material: bytes) -> str:
        return f"A{8 * len(material)}{self.name.removeprefix('AES-')}"

    def _made(self, bits: int, extractable: bool, allowed: Usages, material: bytes) -> CryptoKey:
        return CryptoKey("secret", JsDict(name=self.name, length=bits), extractable, allowed, material)


class _Material:
    """A key that others are derived from."""

    name = ""

    def import_key(self, form: str, data: object, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKey:
        check_form(form, ("raw",))
        allowed = checked(usages, ("deriveBits", "deriveKey"), f"import secret {self.name} key", some=True)
        if extractable:
            raise JsException("SyntaxError", f"{self.name} key cannot be extractable.")
        assert isinstance(data, bytes)
        return CryptoKey("secret", JsDict(name=self.name), False, allowed, data)

    def export_key(self, form: str, key: CryptoKey) -> bytes | JsDict:
        raise no_export(form)

    def generate(self, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKey:
        raise not_supported(f'Unrecognized key generation algorithm "{self.name}" requested.')

    def key_bits(self, algorithm: Algorithm) -> int | None:
        return None

    def _size(self, bits: int | None) -> int:
        if bits is None:
            raise operation_error(f"{self.name} requires a derived key length.")
        if bits % 8:
            raise operation_error(
                f"{self.name} requires a derived key length that is a multiple of eight (requested {bits})."
            )
        return bits // 8


class PBKDF2(_Material):
    name = "PBKDF2"

    def derive(self, algorithm: Algorithm, key: CryptoKey, bits: int | None) -> bytes:
        salt, iterations = bytes_field(algorithm, "salt"), int_field(algorithm, "iterations")
        digest = hash_name(algorithm)
        size = self._size(bits)
        if iterations <= 0:
            raise operation_error(f"PBKDF2 requires a positive iteration count (requested {iterations}).")
        if iterations > MAX_ITERATIONS:
            raise not_supported(
                f"Pbkdf2 failed: iteration counts above {MAX_ITERATIONS} are not supported (requested {iterations})."
            )
        return hashlib.pbkdf2_hmac(HASHES[digest][0], secret_of(key), salt, iterations, size) if size else b""


class HKDFKind(_Material):
    name = "HKDF"

    def derive(self, algorithm: Algorithm, key: CryptoKey, bits: int | None) -> bytes:
        salt, info, digest = bytes_field(algorithm, "salt"), bytes_field(algorithm, "info"), hash_name(algorithm)
        size = self._size(bits)
        try:
            return HKDF(hash_class(digest), size, salt, info).derive(secret_of(key)) if size else b""
        except ValueError as error:
            raise operation_error(f"HKDF deriveBits failed: {error}") from None


def _hmac_alg(name: str) -> str:
    return f"HS{name.removeprefix('SHA-')}"
