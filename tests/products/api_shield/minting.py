"""Keys and tokens of a made-up identity provider, sound ones and others."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from edgeworker.config import JSON
from edgeworker.products.api_shield.json_text import encode_base64url
from edgeworker.products.api_shield.keys import VerificationKeys, read_keys

NOW = 1_800_000_000
RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
EC = ("ES256", "ES384")
HMAC = ("HS256", "HS384", "HS512")
ALGORITHMS = (*RSA, *EC, *HMAC)
_HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
_CURVES: dict[str, tuple[ec.EllipticCurve, str, int]] = {
    "ES256": (ec.SECP256R1(), "P-256", 32),
    "ES384": (ec.SECP384R1(), "P-384", 48),
}


@dataclass(frozen=True)
class MintingKey:
    alg: str
    kid: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | bytes

    def jwk(self, **others: JSON) -> dict[str, JSON]:
        """The public part; of a secret all."""
        common: dict[str, JSON] = {"kid": self.kid, "alg": self.alg}
        match self.private:
            case bytes(secret):
                found: dict[str, JSON] = {"kty": "oct", **common, "k": encode_base64url(secret)}
            case rsa.RSAPrivateKey():
                numbers = self.private.public_key().public_numbers()
                found = {"kty": "RSA", **common, "n": _number(numbers.n), "e": _number(numbers.e)}
            case _:
                _, name, size = _CURVES[self.alg]
                point = self.private.public_key().public_numbers()
                x, y = (encode_base64url(value.to_bytes(size, "big")) for value in (point.x, point.y))
                found = {"kty": "EC", **common, "crv": name, "x": x, "y": y}
        return {**found, **others}

    def sign(self, signed: bytes, alg: str | None = None) -> bytes:
        alg = alg or self.alg
        match self.private:
            case bytes(secret):
                return hmac.digest(secret, signed, f"sha{alg[2:]}")
            case rsa.RSAPrivateKey():
                digest = _HASHES[alg[2:]]
                if alg.startswith("PS"):
                    pss = padding.PSS(padding.MGF1(digest), salt_length=digest.digest_size)
                    return self.private.sign(signed, pss, digest)
                return self.private.sign(signed, padding.PKCS1v15(), digest)
            case _:
                size = _CURVES[alg][2]
                pair = decode_dss_signature(self.private.sign(signed, ec.ECDSA(_HASHES[alg[2:]])))
                return b"".join(number.to_bytes(size, "big") for number in pair)


@cache
def signing_key(alg: str, kid: str = "k1") -> MintingKey:
    if alg.startswith("HS"):
        return MintingKey(alg, kid, kid.encode().ljust(_SECRET_BYTES[alg], b"."))
    if alg.startswith("ES"):
        return MintingKey(alg, kid, ec.generate_private_key(_CURVES[alg][0]))
    return MintingKey(alg, kid, _rsa_key(kid))


@cache
def _rsa_key(kid: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def small_rsa_key(kid: str) -> MintingKey:
    return MintingKey("RS256", kid, _rsa_key(kid, 1024))


def key_set(*keys: MintingKey) -> VerificationKeys:
    return read_keys([key.jwk() for key in keys])


def mint(
    key: MintingKey, claims: Mapping[str, JSON] | str | bytes | None = None, header: Mapping[str, JSON] | None = None
) -> str:
    """A token of these claims (by default one that is valid for an hour from NOW). `header` replaces members of the
    header; one that is None is left out. Claims that are a text are the payload as it is."""
    content = {"sub": "u-1", "iss": "https://idp.test", "exp": NOW + 3600} if claims is None else claims
    fields = {"alg": key.alg, "kid": key.kid, "typ": "JWT", **(header or {})}
    head = json.dumps({name: value for name, value in fields.items() if value is not None}).encode()
    return mint_raw(key, head, content if isinstance(content, str | bytes) else json.dumps(content))


def mint_raw(key: MintingKey, header: bytes, payload: str | bytes) -> str:
    body = payload.encode("utf-8", "surrogatepass") if isinstance(payload, str) else payload
    signed = f"{encode_base64url(header)}.{encode_base64url(body)}"
    return f"{signed}.{encode_base64url(key.sign(signed.encode()))}"


def _number(value: int) -> str:
    return encode_base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))
