"""JWTs: those that the server signs, and those that clients sign to authenticate. Pure."""

import json
from collections.abc import Mapping
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from issuer.keys import Key, decoded

MAX_TOKEN_LENGTH: Final = 8192
_CURVE: Final = "secp256r1"


class BadToken(Exception):
    """A JWT that is not to be believed. The text holds nothing of it."""


def sign(claims: Mapping[str, object], key: Key, typ: str) -> str:
    return jwt.encode(dict(claims), key.private, algorithm=key.alg, headers={"kid": key.kid, "typ": typ})


def claims_of_client(token: str, jwks: Mapping[str, object]) -> dict[str, object]:
    """The claims of a JWT that one of the client's public keys signed. Nothing but the signature is checked.

    The key decides about the algorithm, the header only chooses the key.

    Raises:
        BadToken
    """
    if len(token) > MAX_TOKEN_LENGTH or token.count(".") != 2:
        raise BadToken("it is no signed JWT")
    header = _object(token.partition(".")[0])
    if "crit" in header or header.get("typ") not in (None, "JWT", "jwt", "client-authentication+jwt"):
        raise BadToken("its header is not understood")
    kid = header.get("kid")
    members = jwks.get("keys")
    assert isinstance(members, list)  # as clients.parse found it
    fitting = [member for member in members if kid is None or member.get("kid") == kid]
    if len(fitting) != 1:
        raise BadToken("it does not name one of the client's keys")
    algorithm, public = _public(fitting[0])
    if header.get("alg") != algorithm:
        raise BadToken("it is signed with another algorithm than the key is for")
    try:
        jwt.PyJWS().decode_complete(token, public, algorithms=[algorithm])
    except jwt.InvalidTokenError:
        raise BadToken("its signature does not fit") from None
    return _object(token.split(".")[1])


def unverified_claims(token: str) -> dict[str, object]:
    """What a JWT says, whoever made it: enough to look up whose key would have to fit. Raises BadToken."""
    if len(token) > MAX_TOKEN_LENGTH or token.count(".") != 2:
        raise BadToken("it is no signed JWT")
    return _object(token.split(".")[1])


def _public(member: Mapping[str, object]) -> tuple[str, rsa.RSAPublicKey | ec.EllipticCurvePublicKey]:
    operations = member.get("key_ops", ["verify"])
    if member.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise BadToken("the client's key is not for signatures")
    try:
        algorithm = {"RSA": "RS256", "EC": "ES256"}[str(member.get("kty"))]
        key = jwt.PyJWK(dict(member), algorithm=algorithm).key
    except (jwt.PyJWTError, KeyError, ValueError, TypeError):
        raise BadToken("the client's key cannot be used") from None
    match key:
        case rsa.RSAPublicKey() if key.key_size >= 2048 and key.public_numbers().e > 1:
            chosen = str(member.get("alg", algorithm))
            if chosen not in ("RS256", "PS256"):
                raise BadToken("the client's key is for another algorithm")
            return chosen, key
        case ec.EllipticCurvePublicKey() if key.curve.name == _CURVE:
            return algorithm, key
        case _:
            raise BadToken("the client's key is too weak or of another kind")


def _object(part: str) -> dict[str, object]:
    try:
        found = _STRICT.decode(decoded(part).decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadToken("a part of it is no JSON to rely on") from None
    if not isinstance(found, dict):
        raise BadToken("a part of it is no JSON object")
    return found


def _without_duplicates(members: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member is there twice")
    return found


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


_STRICT: Final = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
