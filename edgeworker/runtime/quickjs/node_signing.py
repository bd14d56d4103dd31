"""Keys and signatures of `node:crypto`: PEM in, PEM and signatures out."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

_PSS = 6  # RSA_PKCS1_PSS_PADDING


def read_pem(kind: str, text: str) -> str:
    """The key as a JSON answer: its PEM, type and details; `error` for what is not such a key."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    data = text.encode("utf-8", "replace")
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    try:
        if kind == "private" or "PRIVATE KEY" in text:
            private = serialization.load_pem_private_key(data, None)
            public = private.public_key()
            pem = private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            if kind == "public":
                pem = public.public_bytes(serialization.Encoding.PEM, form)
        else:
            is_certificate = "BEGIN CERTIFICATE" in text
            found = x509.load_pem_x509_certificate(data).public_key() if is_certificate else None
            public = serialization.load_pem_public_key(data) if found is None else found
            pem = public.public_bytes(serialization.Encoding.PEM, form)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return json.dumps({"error": {"name": "Error", "message": "error:1E08010C:DECODER routines::unsupported"}})
    details: dict[str, object] = {}
    match public:
        case rsa.RSAPublicKey():
            type, details = "rsa", {"modulusLength": public.key_size}
        case ec.EllipticCurvePublicKey():
            curve = {"secp256r1": "prime256v1"}.get(public.curve.name, public.curve.name)
            type, details = "ec", {"namedCurve": curve}
        case ed25519.Ed25519PublicKey():
            type = "ed25519"
        case _:
            type = "unknown"
    return json.dumps({"value": {"pem": pem.decode(), "type": type, "details": details}})


def sign(name: str, pem: str, options: str, content: bytes) -> bytes | None:
    """None for a key that cannot sign so."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

    digest = _find_digest(name)
    key = serialization.load_pem_private_key(pem.encode(), None)
    given = json.loads(options)
    match key, digest:
        case rsa.RSAPrivateKey(), hashes.HashAlgorithm():
            return key.sign(content, _make_padding(given, digest), digest)
        case ec.EllipticCurvePrivateKey(), hashes.HashAlgorithm():
            signature = key.sign(content, ec.ECDSA(digest))
            if given.get("dsaEncoding") != "ieee-p1363":
                return signature
            size = (key.curve.key_size + 7) // 8
            r, s = utils.decode_dss_signature(signature)
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        case _:
            return None


def verify(name: str, pem: str, options: str, content: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

    digest = _find_digest(name)
    key = serialization.load_pem_public_key(pem.encode())
    given = json.loads(options)
    try:
        match key, digest:
            case rsa.RSAPublicKey(), hashes.HashAlgorithm():
                key.verify(signature, content, _make_padding(given, digest), digest)
            case ec.EllipticCurvePublicKey(), hashes.HashAlgorithm():
                if given.get("dsaEncoding") == "ieee-p1363":
                    half = len(signature) // 2
                    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
                    signature = utils.encode_dss_signature(r, s)
                key.verify(signature, content, ec.ECDSA(digest))
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def _find_digest(name: str) -> object:
    from cryptography.hazmat.primitives import hashes

    known = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
    return known.get(name)


def _make_padding(given: "dict[str, object]", digest: "HashAlgorithm") -> "AsymmetricPadding":
    from cryptography.hazmat.primitives.asymmetric import padding

    if given.get("padding") != _PSS:
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
