"""RSASSA-PKCS1-v1_5, RSA-PSS and RSA-OAEP."""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PSS, AsymmetricPadding, PKCS1v15

from edgeworker.runtime.webapi.base import is_absent, type_error
from edgeworker.runtime.webapi.buffers import Uint8Array, to_bytes
from edgeworker.runtime.webapi.crypto import asymmetric
from edgeworker.runtime.webapi.crypto.keys import (
    Algorithm,
    CryptoKey,
    CryptoKeyPair,
    Usages,
    as_jwk,
    bytes_field,
    check_form,
    checked,
    data_error,
    encoded_number,
    hash_name,
    hash_of,
    int_field,
    jwk_of,
    not_supported,
    number,
    operation_error,
)
from edgeworker.runtime.webapi.crypto.secret import hash_class
from edgeworker.runtime.webapi.ffi import JsDict

# Beyond, making a key takes minutes, and nothing could end it.
_MAX_GENERATED_BITS: Final = 8192
_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi")


class RSA:
    def __init__(self, name: str, alg: str, public: Usages, private: Usages) -> None:
        """`alg` is the beginning of what a JWK says."""
        self.name = name
        self._alg = alg
        self._public = public
        self._private = private

    def import_key(self, form: str, data: object, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKey:
        check_form(form, ("spki", "pkcs8", "jwk"))
        digest = hash_name(algorithm)
        material: rsa.RSAPublicKey | rsa.RSAPrivateKey
        match form:
            case "jwk":
                material = self._from_jwk(data, digest)
            case _:
                found = asymmetric.from_der(form, data)
                if not isinstance(found, rsa.RSAPublicKey | rsa.RSAPrivateKey):
                    raise asymmetric.of_another_algorithm(form)
                material = found
        is_private = isinstance(material, rsa.RSAPrivateKey)
        half = "private" if is_private else "public"
        allowed = checked(
            usages, self._private if is_private else self._public, f"import {half} {self.name} key", some=is_private
        )
        return self._made(material, digest, extractable, allowed)

    def generate(self, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKeyPair:
        digest = hash_name(algorithm)
        public, private = asymmetric.halves(usages, self._public, self._private)
        bits = int_field(algorithm, "modulusLength")
        exponent = int.from_bytes(bytes_field(algorithm, "publicExponent"), "big")
        if bits % 8 or not 256 <= bits <= 16_384:
            raise operation_error(
                f"The modulus length must be a multiple of 8 and between 256 and 16k, but {bits} was requested."
            )
        if exponent not in (3, 65_537):
            raise operation_error(f'The "publicExponent" must be either 3 or 65537, but got {exponent}.')
        if not 1024 <= bits <= _MAX_GENERATED_BITS:
            raise not_supported(f"edgeworker makes RSA keys of 1024 to {_MAX_GENERATED_BITS} bits, not of {bits}")
        made = rsa.generate_private_key(exponent, bits)
        return CryptoKeyPair(
            self._made(made.public_key(), digest, True, public), self._made(made, digest, extractable, private)
        )

    def export_key(self, form: str, key: CryptoKey) -> bytes | JsDict:
        if form != "jwk":
            return asymmetric.to_der(form, key)
        material = key.material
        alg = f"{self._alg}{self._suffix(hash_of(key))}"
        if isinstance(material, rsa.RSAPublicKey):
            public = material.public_numbers()
            return jwk_of(key, "RSA", alg, n=encoded_number(public.n), e=encoded_number(public.e))
        assert isinstance(material, rsa.RSAPrivateKey)
        private = material.private_numbers()
        return jwk_of(
            key,
            "RSA",
            alg,
            n=encoded_number(private.public_numbers.n),
            e=encoded_number(private.public_numbers.e),
            d=encoded_number(private.d),
            p=encoded_number(private.p),
            q=encoded_number(private.q),
            dp=encoded_number(private.dmp1),
            dq=encoded_number(private.dmq1),
            qi=encoded_number(private.iqmp),
        )

    def _suffix(self, digest: str) -> str:
        return digest.removeprefix("SHA-")

    def _from_jwk(self, data: object, digest: str) -> rsa.RSAPublicKey | rsa.RSAPrivateKey:
        what = f'{self.name} "jwk" key import'
        jwk = as_jwk(data, self.name, "RSA", use="sig" if "verify" in self._public else "enc")
        alg, expected = jwk.get("alg"), f"{self._alg}{self._suffix(digest)}"
        if not is_absent(alg) and alg != expected:
            raise data_error(
                f'{what} specifies "alg" that is incompatible (encountered "{alg}", expected "{expected}").'
            )
        public = rsa.RSAPublicNumbers(number(jwk, "e", what), number(jwk, "n", what))
        try:
            if is_absent(jwk.get("d")):
                return public.public_key()
            d, p, q, dp, dq, qi = (number(jwk, name, what) for name in _PRIVATE)
            return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public).private_key()
        except ValueError as error:
            raise data_error(f"{what}: invalid key: {error}") from None

    def _made(
        self, material: rsa.RSAPublicKey | rsa.RSAPrivateKey, digest: str, extractable: bool, allowed: Usages
    ) -> CryptoKey:
        is_private = isinstance(material, rsa.RSAPrivateKey)
        exponent = _public_of(material).public_numbers().e
        algorithm = JsDict(
            name=self.name,
            modulusLength=material.key_size,
            publicExponent=Uint8Array(exponent.to_bytes((exponent.bit_length() + 7) // 8, "big")),
            hash=JsDict(name=digest),
        )
        return CryptoKey("private" if is_private else "public", algorithm, extractable, allowed, material)


class Signing(RSA):
    def __init__(self, name: str, alg: str) -> None:
        super().__init__(name, alg, ("verify",), ("sign",))

    def sign(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        assert isinstance(key.material, rsa.RSAPrivateKey)
        try:
            return key.material.sign(data, self._padding(algorithm, key), hash_class(hash_of(key)))
        except ValueError as error:
            raise operation_error(f"{self.name} sign failed: {error}") from None

    def verify(self, algorithm: Algorithm, key: CryptoKey, signature: bytes, data: bytes) -> bool:
        assert isinstance(key.material, rsa.RSAPublicKey)
        try:
            key.material.verify(signature, data, self._padding(algorithm, key), hash_class(hash_of(key)))
        except InvalidSignature:
            return False
        return True

    def _padding(self, algorithm: Algorithm, key: CryptoKey) -> AsymmetricPadding:
        return PKCS1v15()


class SigningPSS(Signing):
    def _padding(self, algorithm: Algorithm, key: CryptoKey) -> AsymmetricPadding:
        if is_absent(algorithm.get("saltLength")):
            raise type_error("Failed to provide salt for RSA-PSS key operation which requires a salt")
        return PSS(MGF1(hash_class(hash_of(key))), int_field(algorithm, "saltLength"))


class Encrypting(RSA):
    def __init__(self) -> None:
        super().__init__("RSA-OAEP", "RSA-OAEP", ("encrypt", "wrapKey"), ("decrypt", "unwrapKey"))

    def encrypt(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        assert isinstance(key.material, rsa.RSAPublicKey)
        try:
            return key.material.encrypt(data, self._padding(algorithm, key))
        except ValueError:
            raise operation_error("RSA-OAEP failed encrypt/decrypt.") from None

    def decrypt(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        assert isinstance(key.material, rsa.RSAPrivateKey)
        try:
            return key.material.decrypt(data, self._padding(algorithm, key))
        except ValueError:
            raise operation_error("RSA-OAEP failed encrypt/decrypt.") from None

    def _suffix(self, digest: str) -> str:
        return "" if digest == "SHA-1" else f"-{digest.removeprefix('SHA-')}"

    def _padding(self, algorithm: Algorithm, key: CryptoKey) -> OAEP:
        label = algorithm.get("label")
        digest = hash_class(hash_of(key))
        return OAEP(MGF1(digest), digest, None if is_absent(label) else to_bytes(label))


def _public_of(material: rsa.RSAPublicKey | rsa.RSAPrivateKey) -> rsa.RSAPublicKey:
    return material.public_key() if isinstance(material, rsa.RSAPrivateKey) else material
