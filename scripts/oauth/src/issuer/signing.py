"""JWTs: signs those of the server, and verifies those that clients sign to authenticate. Pure."""

import json
from collections.abc import Mapping
from typing import Final

import jwt

from issuer.keys import ServerKey
from verifier import claims, keys
from verifier.claims import Claims, InvalidToken, MalformedToken

MAX_TOKEN_LENGTH: Final = 8192

# An RSA key whose JWK has no `alg` verifies RS256 and PS256: the key limits the algorithm, the header selects.
CLIENT_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
_CLIENT_TYPES: Final = frozenset({"jwt", "client-authentication+jwt"})


class BadToken(Exception):
    """A JWT that is not accepted. The text quotes nothing of it."""


def sign(payload: Mapping[str, object], key: ServerKey, typ: str) -> str:
    return jwt.encode(dict(payload), key.private, algorithm=key.alg, headers={"kid": key.kid, "typ": typ})


def claims_of_client(token: str, jwks: Mapping[str, object]) -> Claims:
    """The claims of a JWT that one of the client's public keys signed. Only the signature is checked.

    Raises:
        BadToken
    """
    header, payload = _parts(token)
    try:
        claims.check_header(header, _CLIENT_TYPES if "typ" in header else frozenset())
        known = keys.parse_key_set(json.dumps(dict(jwks)), frozenset(CLIENT_ALGORITHMS))
        keys.verify_signature(token, header, known)
    except keys.BadKeySet as error:
        raise BadToken(f"the client's key set is unusable: {error}") from None
    except InvalidToken as error:
        raise BadToken(str(error)) from None
    return payload


def unverified_claims(token: str) -> Claims:
    """The claims of a JWT that is not verified: enough to find the key that it must fit. Raises BadToken."""
    return _parts(token)[1]


def _parts(token: str) -> tuple[Claims, Claims]:
    """(header, claims)."""
    parts = token.split(".") if len(token) <= MAX_TOKEN_LENGTH else []
    if len(parts) != 3:
        raise BadToken("it is not a signed JWT")
    try:
        return claims.decode_object(parts[0]), claims.decode_object(parts[1])
    except MalformedToken as error:
        raise BadToken(str(error)) from None
