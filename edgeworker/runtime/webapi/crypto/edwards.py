"""Ed25519 and X25519."""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from edgeworker.runtime.webapi.base import is_absent
from edgeworker.runtime.webapi.crypto import asymmetric
from edgeworker.runtime.webapi.crypto.curves import other_half, shortened
from edgeworker.runtime.webapi.crypto.keys import (
    Algorithm,
    CryptoKey,
    CryptoKeyPair,
    Usages,
    as_jwk,
    check_form,
    checked,
    data_error,
    decoded,
    encoded,
    invalid_access,
    jwk_of,
    operation_error,
)
from edgeworker.runtime.webapi.ffi import JsDict

_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_Public = Ed25519PublicKey | X25519PublicKey
_Private = Ed25519PrivateKey | X25519PrivateKey


class Edwards:
    """The keys of both. `curve` is what a JWK calls it."""

    def __init__(
        self,
        name: str,
        curve: str,
        public_class: type[Ed25519PublicKey] | type[X25519PublicKey],
        private_class: type[Ed25519PrivateKey] | type[X25519PrivateKey],
        public: Usages,
        private: Usages,
    ) -> None:
        self.name = name
        self._curve = curve
        self._alg = "EdDSA" if curve == "Ed25519" else None
        self._public_class = public_class
        self._private_class = private_class
        self._public = public
        self._private = private

    def import_key(self, form: str, data: object, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKey:
        check_form(form, ("raw", "spki", "pkcs8", "jwk"))
        material: _Public | _Private
        match form:
            case "raw":
                assert isinstance(data, bytes)
                material = self._public_class.from_public_bytes(self._whole(data, "raw keys"))
            case "jwk":
                material = self._from_jwk(data)
            case _:
                found = asymmetric.from_der(form, data)
                if not isinstance(found, (self._public_class, self._private_class)):
                    raise asymmetric.of_another_algorithm(form)
                material = found
        is_private = isinstance(material, _Private)
        half = "private" if is_private else "public"
        allowed = checked(
            usages, self._private if is_private else self._public, f"import {half} {self.name} key", some=is_private
        )
        return self._made(material, extractable, allowed)

    def generate(self, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKeyPair:
        public, private = asymmetric.halves(usages, self._public, self._private)
        made = self._private_class.generate()
        return CryptoKeyPair(self._made(made.public_key(), True, public), self._made(made, extractable, private))

    def export_key(self, form: str, key: CryptoKey) -> bytes | JsDict:
        material = key.material
        if form == "raw":
            if not isinstance(material, _Public):
                raise invalid_access(f"Raw export of {self.name} keys is only allowed for public keys.")
            return material.public_bytes_raw()
        if form != "jwk":
            return asymmetric.to_der(form, key)
        if isinstance(material, _Private):
            x, d = encoded(material.public_key().public_bytes_raw()), encoded(material.private_bytes_raw())
            return jwk_of(key, "OKP", self._alg, crv=self._curve, x=x, d=d)
        assert isinstance(material, _Public)
        return jwk_of(key, "OKP", self._alg, crv=self._curve, x=encoded(material.public_bytes_raw()))

    def _from_jwk(self, data: object) -> _Public | _Private:
        what = f'{self.name} "jwk" key import'
        jwk = as_jwk(data, self.name, "OKP", use="sig" if self._public else None)
        if jwk.get("crv") != self._curve:
            raise data_error(f'{what}: "crv" must be "{self._curve}", not "{jwk.get("crv")}".')
        public = self._public_class.from_public_bytes(self._whole(decoded(jwk, "x", what), '"x"'))
        if is_absent(jwk.get("d")):
            return public
        private = self._private_class.from_private_bytes(self._whole(decoded(jwk, "d", what), '"d"'))
        if private.public_key().public_bytes_raw() != public.public_bytes_raw():
            raise data_error(f'{what}: "x" is not the public key of "d".')
        return private

    def _whole(self, data: bytes, what: str) -> bytes:
        if len(data) != _KEY_BYTES:
            raise data_error(f"{self.name} {what} must be exactly 32-bytes (provided {len(data)}).")
        return data

    def _made(self, material: _Public | _Private, extractable: bool, allowed: Usages) -> CryptoKey:
        algorithm = JsDict(name=self.name)
        if self.name.startswith("NODE-"):
            algorithm["namedCurve"] = self.name
        kind = "private" if isinstance(material, _Private) else "public"
        return CryptoKey(kind, algorithm, extractable, allowed, material)


class Ed25519(Edwards):
    def __init__(self, name: str = "Ed25519") -> None:
        super().__init__(name, "Ed25519", Ed25519PublicKey, Ed25519PrivateKey, ("verify",), ("sign",))

    def sign(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        assert isinstance(key.material, Ed25519PrivateKey)
        return key.material.sign(data)

    def verify(self, algorithm: Algorithm, key: CryptoKey, signature: bytes, data: bytes) -> bool:
        assert isinstance(key.material, Ed25519PublicKey)
        if len(signature) != _SIGNATURE_BYTES:
            raise operation_error(f"Invalid {self.name} signature length {len(signature)}")
        try:
            key.material.verify(signature, data)
        except InvalidSignature:
            return False
        return True


class X25519(Edwards):
    def __init__(self) -> None:
        super().__init__("X25519", "X25519", X25519PublicKey, X25519PrivateKey, (), ("deriveKey", "deriveBits"))

    def derive(self, algorithm: Algorithm, key: CryptoKey, bits: int | None) -> bytes:
        other = other_half(algorithm, key)
        assert isinstance(key.material, X25519PrivateKey)
        assert isinstance(other, X25519PublicKey)
        try:
            return shortened(key.material.exchange(other), bits)
        except ValueError:
            raise operation_error("X25519 key agreement failed: the result is all zeros.") from None
