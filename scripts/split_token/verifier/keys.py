"""The issuer's public keys: which of a JWK set are believed, and whether one of them signed a token. Needs PyJWT.

Pure. How keys are fetched and kept is in `remote`.
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

_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES: Final = {
    "secp256r1": frozenset({"ES256"}),
    "secp384r1": frozenset({"ES384"}),
    "secp521r1": frozenset({"ES512"}),
}

# RFC 7518 section 3.3 wants 2048 bits; far larger ones only cost time.
_RSA_BITS: Final = range(2048, 16_385)
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class BadKeySet(Exception):
    """A document that is no public JWK set to trust. The text says why."""


class BadSignature(InvalidToken):
    """The token was not signed by the issuer's key that it names."""


class UnknownKey(InvalidToken):
    """The token names a key that the issuer does not publish."""


class KeysUnavailable(Exception):
    """The issuer's keys cannot be had just now."""

    def __init__(self, text: str, *, retry_after_seconds: int) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Key:
    """`algorithms` are those that this key may verify; the token's header only chooses among them."""

    kid: str | None
    algorithms: frozenset[str]
    public: PublicKey


@dataclass(frozen=True, slots=True)
class KeySet:
    keys: tuple[Key, ...]

    def find(self, kid: object, algorithm: object) -> Key:
        """The key of that id. A token without one is believed only where there is no choice.

        Raises:
            UnknownKey: none, or more than one without an id.
        """
        if (kid is None or isinstance(kid, str)) and isinstance(algorithm, str):
            fitting = [key for key in self.keys if algorithm in key.algorithms and (kid is None or key.kid == kid)]
            if len(fitting) == 1:
                return fitting[0]
        raise UnknownKey("The access token is not signed by a known key")


class Keys(Protocol):
    """Where the issuer's keys come from: FixedKeys here, or `remote.RemoteKeys`. `now` is in seconds."""

    async def current(self, *, now: float) -> KeySet:
        """Raises KeysUnavailable."""
        ...

    async def newer(self, *, now: float) -> KeySet | None:
        """What there is now, for a token whose key is not in the current set; None where there is nothing newer."""
        ...


class FixedKeys:
    """A key set that never changes."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    async def current(self, *, now: float) -> KeySet:
        return self._keys

    async def newer(self, *, now: float) -> None:
        return None


def parse(document: str, allowed: frozenset[str]) -> KeySet:
    """The keys of a JWK set (RFC 7517) that may verify one of the `allowed` algorithms. Others are left out.

    Raises:
        BadKeySet: not a JWK set; one with private or symmetric keys, which is not to be public; one in which two keys
            have one id and algorithm; one in which no key can be used.
    """
    if len(document) > MAX_DOCUMENT_LENGTH:
        raise BadKeySet(f"it is longer than {MAX_DOCUMENT_LENGTH} characters")
    try:
        parsed = claims.strict_json(document)
    except (ValueError, RecursionError):
        raise BadKeySet("it is not JSON, or a member is there twice") from None
    members = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(members, list) or len(members) > MAX_KEYS:
        raise BadKeySet(f'it is not an object with a list "keys" of at most {MAX_KEYS}')
    keys: list[Key] = []
    for member in members:
        if not isinstance(member, dict):
            raise BadKeySet("one of its keys is not an object")
        if member.get("kty") == "oct" or not _PRIVATE.isdisjoint(member):
            raise BadKeySet("it holds a private or symmetric key")
        key = _key(member, allowed)
        if key is None:
            continue
        if any(other.kid == key.kid and other.algorithms & key.algorithms for other in keys):
            raise BadKeySet(f"two of its keys have the id {key.kid!r}")
        keys.append(key)
    if not keys:
        raise BadKeySet("none of its keys can verify a token")
    return KeySet(tuple(keys))


async def check_signature(token: str, header: Mapping[str, object], keys: Keys, *, now: float) -> None:
    """Checks the signature of the whole JWT, whose decoded header is `header`. An unknown key is looked for once more.

    Raises:
        UnknownKey: no key of that id and algorithm.
        BadSignature: the signature is not that key's.
        KeysUnavailable: there are no keys to check with.
    """
    try:
        verify(token, header, await keys.current(now=now))
    except UnknownKey:
        newer = await keys.newer(now=now)
        if newer is None:
            raise
        verify(token, header, newer)


def verify(token: str, header: Mapping[str, object], keys: KeySet) -> None:
    """Raises UnknownKey or BadSignature. The header's `crit` is checked by `claims.check_header`."""
    algorithm = header.get("alg")
    key = keys.find(header.get("kid"), algorithm)
    assert isinstance(algorithm, str)  # it is one of the key's
    if not claims.is_canonical(token.rpartition(".")[2]):
        raise BadSignature("The access token's signature is not canonical base64url")
    try:
        _JWS.decode_complete(token, key.public, algorithms=[algorithm])
    except jwt.InvalidTokenError:
        raise BadSignature("The access token's signature does not fit") from None


def _key(member: Mapping[str, object], allowed: frozenset[str]) -> Key | None:
    """The key, or None where it is not for verifying signatures with an allowed algorithm, or not sound."""
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
        algorithms &= frozenset(_texts([member["alg"]]))
    return Key(kid, algorithms, public) if public is not None and algorithms else None


def _public_key(member: Mapping[str, object]) -> PublicKey | None:
    document = json.dumps(dict(member))
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
            return _RSA if _is_sound(key) else frozenset()
        case ec.EllipticCurvePublicKey():
            return _CURVES.get(key.curve.name, frozenset())
        case ed25519.Ed25519PublicKey():
            return frozenset({"EdDSA"})
        case None:
            return frozenset()


def _is_sound(key: rsa.RSAPublicKey) -> bool:
    numbers = key.public_numbers()
    if key.key_size not in _RSA_BITS or numbers.n % 2 == 0:  # exponents are checked by the library
        return False
    return not all(numbers.n % prime in powers for prime, powers in _ROCA)


def _powers(prime: int) -> frozenset[int]:
    return frozenset(pow(65537, exponent, prime) for exponent in range(prime - 1))


def _texts(values: object) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


_JWS: Final = jwt.PyJWS()

# Moduli that Infineon's library made from powers of 65537, and that can be factored (CVE-2017-15361, "ROCA"). Each is
# such a power modulo every one of these primes; of other moduli not one in a hundred million is.
_ROCA: Final = tuple(
    (prime, _powers(prime)) for prime in (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
)
