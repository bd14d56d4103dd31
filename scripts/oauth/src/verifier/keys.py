"""Parses the issuer's JWK set and checks a token's signature with it. Pure; needs PyJWT.

Keys are fetched and cached in `remote`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from verifier import claims
from verifier.claims import InvalidToken

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

MAX_DOCUMENT_LENGTH: Final = 262_144
MAX_KEYS: Final = 100
MAX_CANDIDATES: Final = 8  # of keys without an id: each costs a check of the signature

_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
# Two names of one algorithm for an Ed25519 key (RFC 8037, RFC 9864).
_EDDSA: Final = frozenset({"EdDSA", "Ed25519"})
_CURVES: Final = {
    "secp256r1": frozenset({"ES256"}),
    "secp384r1": frozenset({"ES384"}),
    "secp521r1": frozenset({"ES512"}),
}

# RFC 7518 section 3.3 requires 2048 bits; much larger keys only cost time.
_RSA_BITS: Final = range(2048, 16_385)
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class BadKeySet(Exception):
    """A document that is not a usable public JWK set. The text says why."""


class BadSignature(InvalidToken):
    """The signature does not fit the issuer's key that the token names."""


class UnknownKey(InvalidToken):
    """The token names a key that is not in the issuer's set."""


class KeysUnavailable(Exception):
    """The issuer's keys cannot be fetched now."""

    def __init__(self, text: str, *, retry_after_seconds: int) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """`algorithms` are those that this key may verify; the token's header only selects one of them."""

    kid: str | None
    algorithms: frozenset[str]
    public: PublicKey


@dataclass(frozen=True, slots=True)
class PublicKeySet:
    keys: tuple[VerificationKey, ...]

    def find(self, kid: object, algorithm: object) -> tuple[VerificationKey, ...]:
        """The keys that may have signed a token with this header: at least one, and at most MAX_CANDIDATES.

        Usually it is the key of that id. Ids are optional in a set (RFC 7517 section 4.5): keys without one are tried
        for every token that names no other key. A token without an id is accepted if one key fits, or if the keys have
        no ids (OpenID Connect Core section 10.1: otherwise it must name one).

        Raises:
            UnknownKey: no key fits, or several and the token does not say which.
        """
        if (kid is None or isinstance(kid, str)) and isinstance(algorithm, str):
            fitting = [key for key in self.keys if algorithm in key.algorithms]
            named = [key for key in fitting if kid is not None and key.kid == kid]
            found = named or (fitting if kid is None and len(fitting) == 1 else [])
            found = found or [key for key in fitting if key.kid is None]
            if 0 < len(found) <= MAX_CANDIDATES:
                return tuple(found)
        raise UnknownKey("The access token is not signed by a known key")


class KeySource(Protocol):
    """Gives the issuer's keys: FixedKeySource here, or `remote.RemoteKeySource`. `now` is in seconds."""

    async def current(self, *, now: float) -> PublicKeySet:
        """Raises KeysUnavailable."""
        ...

    async def newer(self, *, now: float) -> PublicKeySet | None:
        """A newer set, for a token whose key is not in the current one; None if there is none."""
        ...


class FixedKeySource:
    """A key set that never changes."""

    def __init__(self, keys: PublicKeySet) -> None:
        self._keys = keys

    async def current(self, *, now: float) -> PublicKeySet:
        return self._keys

    async def newer(self, *, now: float) -> None:
        return None


def parse_key_set(document: str, allowed: frozenset[str]) -> PublicKeySet:
    """The keys of a JWK set (RFC 7517) that may verify one of the `allowed` algorithms. Others are left out.

    Raises:
        BadKeySet: the document is not a JWK set, has a private or symmetric key, has two keys of one id and algorithm,
            or has no usable key.
    """
    if len(document) > MAX_DOCUMENT_LENGTH:
        raise BadKeySet(f"it is longer than {MAX_DOCUMENT_LENGTH} characters")
    try:
        parsed = claims.parse_strict_json(document)
    except (ValueError, RecursionError):
        raise BadKeySet("it is not JSON, or a member is there twice") from None
    members = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(members, list) or len(members) > MAX_KEYS:
        raise BadKeySet(f'it is not an object with a list "keys" of at most {MAX_KEYS}')
    keys: list[VerificationKey] = []
    for member in members:
        if not isinstance(member, dict):
            raise BadKeySet("one of its keys is not an object")
        if member.get("kty") == "oct" or not _PRIVATE.isdisjoint(member):
            raise BadKeySet("it holds a private or symmetric key")
        key = _key(member, allowed)
        if key is None:
            continue
        if key.kid is not None and any(other.kid == key.kid and other.algorithms & key.algorithms for other in keys):
            raise BadKeySet(f"two of its keys have the id {key.kid!r}")
        keys.append(key)
    if not keys:
        raise BadKeySet("none of its keys can verify a token")
    return PublicKeySet(tuple(keys))


async def check_token_signature(token: str, header: Mapping[str, object], keys: KeySource, *, now: float) -> None:
    """Checks the signature of a whole JWT, whose decoded header is `header`. An unknown key causes one more fetch.

    Raises:
        UnknownKey: no key has that id and algorithm.
        BadSignature: the signature does not fit that key.
        KeysUnavailable: there are no keys to check with.
    """
    try:
        verify_signature(token, header, await keys.current(now=now))
    except UnknownKey:
        newer = await keys.newer(now=now)
        if newer is None:
            raise
        verify_signature(token, header, newer)


def verify_signature(token: str, header: Mapping[str, object], keys: PublicKeySet) -> None:
    """Raises UnknownKey or BadSignature. The header's `crit` is checked by `claims.check_header`."""
    algorithm = header.get("alg")
    candidates = keys.find(header.get("kid"), algorithm)
    assert isinstance(algorithm, str)  # `find` compared it with the key's
    if not claims.is_canonical_base64url(token.rpartition(".")[2]):
        raise BadSignature("The access token's signature is not canonical base64url")
    for key in candidates:
        try:
            _JWS.decode_complete(token, key.public, algorithms=[algorithm])
        except jwt.InvalidTokenError:
            continue
        return
    if all(key.kid is None for key in candidates):
        # The issuer may have replaced a key, and no id says so.
        raise UnknownKey("The access token is not signed by a known key")
    raise BadSignature("The access token's signature does not fit")


def _key(member: Mapping[str, object], allowed: frozenset[str]) -> VerificationKey | None:
    """The key, or None if it may not verify an allowed algorithm or is too weak."""
    operations = member.get("key_ops")
    if member.get("use", "sig") != "sig" or (operations is not None and "verify" not in _texts(operations)):
        return None
    kid = member.get("kid")
    if kid is not None and not isinstance(kid, str):
        return None
    try:
        public = _public_key(member)
    except (jwt.InvalidKeyError, ValueError, TypeError):
        return None
    algorithms = allowed & _algorithms_of(public)
    if "alg" in member:
        named = frozenset(_texts([member["alg"]]))
        algorithms &= named if named.isdisjoint(_EDDSA) else _EDDSA
    return VerificationKey(kid, algorithms, public) if public is not None and algorithms else None


def _public_key(member: Mapping[str, object]) -> PublicKey | None:
    document = json.dumps(dict(member))
    key: object
    match member.get("kty"):
        case "RSA":
            key = RSAAlgorithm.from_jwk(document)
        case "EC":
            key = ECAlgorithm.from_jwk(document)
        case "OKP":
            key = OKPAlgorithm.from_jwk(document)
        case _:
            return None
    return key if isinstance(key, PublicKey) else None


def _algorithms_of(key: PublicKey | None) -> frozenset[str]:
    match key:
        case rsa.RSAPublicKey():
            return _RSA if _is_strong_rsa(key) else frozenset()
        case ec.EllipticCurvePublicKey():
            return _CURVES.get(key.curve.name, frozenset())
        case ed25519.Ed25519PublicKey():
            return _EDDSA
        case None:
            return frozenset()


def _is_strong_rsa(key: rsa.RSAPublicKey) -> bool:
    numbers = key.public_numbers()
    if key.key_size not in _RSA_BITS or numbers.n % 2 == 0:  # exponents are checked by the library
        return False
    return not all(numbers.n % prime in powers for prime, powers in _ROCA)


def _powers(prime: int) -> frozenset[int]:
    return frozenset(pow(65537, exponent, prime) for exponent in range(prime - 1))


def _texts(values: object) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


_JWS: Final = jwt.PyJWS()
_JWS.register_algorithm("Ed25519", OKPAlgorithm())

# Moduli that Infineon's library derived from powers of 65537 can be factored (CVE-2017-15361, "ROCA"). Such a modulus
# is a power of 65537 modulo each of these primes; of other moduli not one in a hundred million is.
_ROCA: Final = tuple(
    (prime, _powers(prime)) for prime in (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
)
