"""ECDSA and ECDH on the curves of NIST."""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edgeworker.runtime.webapi.base import is_absent, type_error
from edgeworker.runtime.webapi.crypto import asymmetric
from edgeworker.runtime.webapi.crypto.keys import (
    Algorithm,
    CryptoKey,
    CryptoKeyPair,
    Usages,
    as_jwk,
    check_form,
    checked,
    data_error,
    encoded_number,
    hash_name,
    invalid_access,
    jwk_of,
    not_supported,
    number,
    operation_error,
)
from edgeworker.runtime.webapi.crypto.secret import hash_class
from edgeworker.runtime.webapi.ffi import JsDict

_CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_NO_HASH: Final = (
    'Missing "hash" in AlgorithmIdentifier. (ECDSA requires that the hash algorithm be specified at call time rather '
    "than on the key. This differs from other WebCrypto algorithms for historical reasons.)"
)
_Half = ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey


class Curves:
    """The keys of both algorithms."""

    def __init__(self, name: str, public: Usages, private: Usages, use: str) -> None:
        self.name = name
        self._public = public
        self._private = private
        self._use = use

    def import_key(self, form: str, data: object, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKey:
        check_form(form, ("raw", "spki", "pkcs8", "jwk"))
        curve = _curve(algorithm)
        material: _Half
        match form:
            case "jwk":
                material = self._from_jwk(data, curve)
            case "raw":
                assert isinstance(data, bytes)
                try:
                    material = ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve], data)
                except ValueError:
                    raise data_error("Failed to import raw EC key data: no point of the curve.") from None
            case _:
                found = asymmetric.from_der(form, data)
                if not isinstance(found, _Half):
                    raise asymmetric.of_another_algorithm(form)
                material = found
        if material.curve.name != _CURVES[curve].name:
            raise data_error(f'"{self.name}" key import: the key is of another curve than "{curve}".')
        is_private = isinstance(material, ec.EllipticCurvePrivateKey)
        half = "private" if is_private else "public"
        allowed = checked(
            usages, self._private if is_private else self._public, f"import {half} {self.name} key", some=is_private
        )
        return self._made(material, curve, extractable, allowed)

    def generate(self, algorithm: Algorithm, extractable: bool, usages: Usages) -> CryptoKeyPair:
        curve = _curve(algorithm)
        public, private = asymmetric.halves(usages, self._public, self._private)
        made = ec.generate_private_key(_CURVES[curve])
        return CryptoKeyPair(
            self._made(made.public_key(), curve, True, public), self._made(made, curve, extractable, private)
        )

    def export_key(self, form: str, key: CryptoKey) -> bytes | JsDict:
        material = key.material
        if form == "raw":
            if not isinstance(material, ec.EllipticCurvePublicKey):
                raise invalid_access("Raw export of elliptic curve keys is only allowed for public keys.")
            return material.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        if form != "jwk":
            return asymmetric.to_der(form, key)
        assert isinstance(material, _Half)
        size = _size(material.curve)
        point = _public_of(material).public_numbers()
        curve = str(key.algorithm["namedCurve"])
        fields = {"crv": curve, "x": encoded_number(point.x, size), "y": encoded_number(point.y, size)}
        if isinstance(material, ec.EllipticCurvePrivateKey):
            fields["d"] = encoded_number(material.private_numbers().private_value, size)
        return jwk_of(key, "EC", None, **fields)

    def _from_jwk(self, data: object, curve: str) -> _Half:
        what = f'{self.name} "jwk" key import'
        jwk = as_jwk(data, self.name, "EC", use=self._use)
        point = ec.EllipticCurvePublicNumbers(number(jwk, "x", what), number(jwk, "y", what), _CURVES[curve])
        try:
            if is_absent(jwk.get("d")):
                return point.public_key()
            return ec.EllipticCurvePrivateNumbers(number(jwk, "d", what), point).private_key()
        except ValueError:
            raise operation_error(
                'Invalid EC key; public key coordinates "x" and "y" are invalid: Point is not on curve..'
            ) from None

    def _made(self, material: _Half, curve: str, extractable: bool, allowed: Usages) -> CryptoKey:
        kind = "private" if isinstance(material, ec.EllipticCurvePrivateKey) else "public"
        return CryptoKey(kind, JsDict(name=self.name, namedCurve=curve), extractable, allowed, material)


class ECDSA(Curves):
    """A signature is the two numbers side by side, not DER."""

    def __init__(self) -> None:
        super().__init__("ECDSA", ("verify",), ("sign",), "sig")

    def sign(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        assert isinstance(key.material, ec.EllipticCurvePrivateKey)
        one, two = decode_dss_signature(key.material.sign(data, self._signing(algorithm)))
        size = _size(key.material.curve)
        return one.to_bytes(size, "big") + two.to_bytes(size, "big")

    def verify(self, algorithm: Algorithm, key: CryptoKey, signature: bytes, data: bytes) -> bool:
        assert isinstance(key.material, ec.EllipticCurvePublicKey)
        signing, size = self._signing(algorithm), _size(key.material.curve)
        if len(signature) != 2 * size:
            return False
        one, two = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        try:
            key.material.verify(encode_dss_signature(one, two), data, signing)
        except InvalidSignature:
            return False
        return True

    def _signing(self, algorithm: Algorithm) -> ec.ECDSA:
        if is_absent(algorithm.get("hash")):
            raise type_error(_NO_HASH)
        return ec.ECDSA(hash_class(hash_name(algorithm)))


class ECDH(Curves):
    def __init__(self) -> None:
        super().__init__("ECDH", (), ("deriveKey", "deriveBits"), "enc")

    def derive(self, algorithm: Algorithm, key: CryptoKey, bits: int | None) -> bytes:
        other = other_half(algorithm, key)
        assert isinstance(key.material, ec.EllipticCurvePrivateKey)
        if not isinstance(other, ec.EllipticCurvePublicKey) or other.curve.name != key.material.curve.name:
            raise invalid_access("The public key is of another curve than the private one.")
        return shortened(key.material.exchange(ec.ECDH(), other), bits)


def other_half(algorithm: Algorithm, key: CryptoKey) -> object:
    """The material of the algorithm's `public`. Raises JsException."""
    public = algorithm.get("public")
    if not isinstance(public, CryptoKey):
        raise type_error('Missing field "public" in "algorithm".')
    if public.type != "public":
        raise invalid_access(f'The provided key has type "{public.type}", not "public".')
    if public.name != key.name:
        raise invalid_access(
            f"Base {key.name} private key cannot be used to derive from a peer {public.name} public key."
        )
    return public.material


def shortened(shared: bytes, bits: int | None) -> bytes:
    """The first bits of a secret, the rest of the last byte being 0. Raises JsException for more than there are."""
    if bits is None:
        return shared
    if bits > 8 * len(shared):
        raise operation_error(
            f"Derived key length ({bits} bits) is too long (should be at most {8 * len(shared)} bits)."
        )
    cut = bytearray(shared[: (bits + 7) // 8])
    if bits % 8:
        cut[-1] &= 0xFF << (8 - bits % 8) & 0xFF
    return bytes(cut)


def _curve(algorithm: Algorithm) -> str:
    name = algorithm.get("namedCurve")
    if is_absent(name):
        raise type_error('Missing field "namedCurve" in "algorithm".')
    if name not in _CURVES:
        raise not_supported(f'Unrecognized or unimplemented EC curve "{name}" requested.')
    return str(name)


def _size(curve: ec.EllipticCurve) -> int:
    return (curve.key_size + 7) // 8


def _public_of(material: _Half) -> ec.EllipticCurvePublicKey:
    return material.public_key() if isinstance(material, ec.EllipticCurvePrivateKey) else material
