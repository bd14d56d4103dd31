"""Whether a text is a token that a key of the configuration signed, and whether it counts now. Pure.

Source: https://developers.cloudflare.com/api-shield/security/jwt-validation/ and RFC 7515, RFC 7519, RFC 8725. `iss`
and `aud` are not looked at: rules do that.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from edgeworker.config import JSON
from edgeworker.products.api_shield.json_text import InvalidText, decode_base64url, read_object
from edgeworker.products.api_shield.keys import ECKey, RSAKey, SecretKey, VerificationKey, VerificationKeys

MAX_TOKEN_CHARACTERS: Final = 8192
SKEW_SECONDS: Final = 60

Result = Literal[
    "valid",
    "missing",
    "malformed",
    "no_kid",
    "unknown_kid",
    "alg_mismatch",
    "bad_signature",
    "expired",
    "not_yet_valid",
    "no_exp",
]

_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512(),
}  # fmt: skip
_HMAC_NAMES: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_EC_BYTES: Final = {"ES256": 32, "ES384": 48}
# Members of a header that change what is signed or how it is read.
_FORBIDDEN_HEADER: Final = ("crit", "b64", "zip", "enc")


@dataclass(frozen=True, slots=True)
class ParsedToken:
    """What a token says, before anyone looked at its signature."""

    kid: str | None
    alg: str
    claims: Mapping[str, JSON] = field(repr=False)
    claims_json: bytes = field(repr=False)
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    expires_at: float | None
    not_before: float | None


@dataclass(frozen=True, slots=True)
class ValidSignature:
    """A signature that holds. `expires_at` and `not_before` are without the skew."""

    claims: Mapping[str, JSON] = field(repr=False)
    claims_json: bytes = field(repr=False)
    expires_at: float | None
    not_before: float | None

    def result_at(self, now: float) -> Result:
        if self.expires_at is not None and now > self.expires_at + SKEW_SECONDS:
            return "expired"
        if self.not_before is not None and now < self.not_before - SKEW_SECONDS:
            return "not_yet_valid"
        return "valid"


def parse_token(text: str) -> ParsedToken:
    """Raises InvalidText for what is not one token in compact form, in the only way to write it."""
    if len(text) > MAX_TOKEN_CHARACTERS:
        raise InvalidText(f"the token is longer than {MAX_TOKEN_CHARACTERS} characters")
    segments = text.split(".")
    if len(segments) != 3 or not all(segments):
        raise InvalidText("the token is not three segments")
    header = read_object(decode_base64url(segments[0], "token's header"), "token's header")
    claims_json = decode_base64url(segments[1], "token's payload")
    claims = read_object(claims_json, "token's payload")
    signature = decode_base64url(segments[2], "token's signature")
    for name in _FORBIDDEN_HEADER:
        if name in header:
            raise InvalidText(f'the token\'s header has "{name}"')
    alg, kid = header.get("alg"), header.get("kid")
    if not isinstance(alg, str):
        raise InvalidText("the token's header has no alg")
    if kid is not None and not isinstance(kid, str):
        raise InvalidText("the token's kid is not a text")
    signed = f"{segments[0]}.{segments[1]}".encode("ascii")
    return ParsedToken(
        kid or None, alg, claims, claims_json, signed, signature, _time(claims, "exp"), _time(claims, "nbf")
    )


def verify_token(token: ParsedToken, keys: VerificationKeys, *, require_exp: bool) -> ValidSignature | Result:
    """No other key is tried than the one that the token names, and no other algorithm than that key's."""
    if token.kid is None:
        return "no_kid"
    key = keys.find(token.kid, token.alg)
    if key is None:
        return "alg_mismatch" if keys.has_kid(token.kid) else "unknown_kid"
    if not _is_signed_by(token, key):
        return "bad_signature"
    if require_exp and token.expires_at is None:
        return "no_exp"
    return ValidSignature(token.claims, token.claims_json, token.expires_at, token.not_before)


def _is_signed_by(token: ParsedToken, key: VerificationKey) -> bool:
    match key:
        case SecretKey(_, alg, secret):
            expected = hmac.digest(secret, token.signed, _HMAC_NAMES[alg])
            return hmac.compare_digest(expected, token.signature)
        case RSAKey(_, alg, public_key):
            digest = _HASHES[alg[2:]]
            try:
                if alg.startswith("PS"):
                    pss = padding.PSS(padding.MGF1(digest), salt_length=digest.digest_size)
                    public_key.verify(token.signature, token.signed, pss, digest)
                else:
                    public_key.verify(token.signature, token.signed, padding.PKCS1v15(), digest)
            except InvalidSignature:
                return False
            return True
        case ECKey(_, alg, point):
            size = _EC_BYTES[alg]
            if len(token.signature) != 2 * size:
                return False
            r, s = (int.from_bytes(half, "big") for half in (token.signature[:size], token.signature[size:]))
            try:
                point.verify(encode_dss_signature(r, s), token.signed, ec.ECDSA(_HASHES[alg[2:]]))
            except InvalidSignature:
                return False
            return True


def _time(claims: Mapping[str, JSON], name: str) -> float | None:
    """A NumericDate, or None where it is missing. Raises InvalidText for anything else."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise InvalidText(f"the token's {name} is not a time")
    return value
