"""The issuer's public keys and what they say about a joined JWT. Imported only where a JWKS is configured: needs PyJWT.

Only signatures are checked here; the times and claims of every token are checked in `tokens`.
"""

import json
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

_log = logging.getLogger("split_token")

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

MAX_AGE_SECONDS: Final = 600  # then a set is fetched again, so that a withdrawn key goes
REFETCH_SECONDS: Final = 60  # at most one fetch for unknown key ids in this time, whatever clients send
RETRY_SECONDS: Final = 5  # after a failure
PATIENCE_SECONDS: Final = 15  # a fetch that has not ended by then is not waited for any more

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


class BadSignature(Exception):
    """The token was not signed by the issuer's key that it names."""


class UnknownKey(Exception):
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
        if kid is not None and not isinstance(kid, str):
            raise UnknownKey
        fitting = [key for key in self.keys if algorithm in key.algorithms and (kid is None or key.kid == kid)]
        if len(fitting) != 1:
            raise UnknownKey
        return fitting[0]


def parse(document: str, allowed: frozenset[str]) -> KeySet:
    """The keys of a JWK set (RFC 7517) that may verify one of the `allowed` algorithms. Others are left out.

    Raises:
        BadKeySet: not a JWK set; one with private or symmetric keys, which is not to be public; one in which two keys
            have one id and algorithm; one in which no key can be used.
    """
    if len(document) > MAX_DOCUMENT_LENGTH:
        raise BadKeySet(f"it is longer than {MAX_DOCUMENT_LENGTH} characters")
    try:
        parsed = json.loads(document)
    except (ValueError, RecursionError):
        raise BadKeySet("it is not JSON") from None
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


def verify(token: str, header: Mapping[str, object], keys: KeySet) -> None:
    """Checks the signature of the whole JWT, whose decoded header is `header`.

    Raises:
        UnknownKey: no key of that id and algorithm.
        BadSignature: the signature is not that key's, or the header asks for what is not understood (`crit`).
    """
    algorithm = header.get("alg")
    key = keys.find(header.get("kid"), algorithm)
    assert isinstance(algorithm, str)  # it is one of the key's
    try:
        _JWS.decode_complete(token, key.public, algorithms=[algorithm])
    except jwt.InvalidTokenError as error:
        raise BadSignature(str(error)) from None


class RemoteKeys:
    """The key set behind a URL. The last good one is kept for as long as no newer one can be had.

    Nothing is locked: on Cloudflare a request must not wait for what another request began.
    """

    def __init__(self, get: Callable[[], Awaitable[str]], allowed: frozenset[str]) -> None:
        """`get` fetches the document's text, and raises OSError where that fails."""
        self._get = get
        self._allowed = allowed
        self._keys: KeySet | None = None
        self._stale_at = -math.inf
        self._not_before = -math.inf
        self._began: float | None = None

    async def current(self, *, now: float) -> KeySet:
        """Raises KeysUnavailable where there has never been a good set."""
        if self._keys is not None and (now < self._stale_at or now < self._not_before):
            return self._keys
        if now < self._not_before:
            raise KeysUnavailable("the last fetch failed", retry_after_seconds=RETRY_SECONDS)
        if self._keys is not None:
            self._not_before = now + REFETCH_SECONDS
        return await self._fetch(now)

    async def newer(self, *, now: float) -> KeySet | None:
        """What the issuer publishes now, because a token names a key that is not known; None where it is too early.

        Raises:
            KeysUnavailable: another request is fetching it at this moment.
        """
        if self._began is not None and now < self._began + PATIENCE_SECONDS:
            raise KeysUnavailable("new keys are on their way", retry_after_seconds=1)
        if now < self._not_before:
            return None
        self._not_before = now + REFETCH_SECONDS
        return await self._fetch(now)

    async def _fetch(self, now: float) -> KeySet:
        self._began = now
        try:
            self._keys = parse(await self._get(), self._allowed)
        except (OSError, BadKeySet) as error:
            self._not_before = max(self._not_before, now + RETRY_SECONDS)
            _log.warning(
                "the issuer's keys cannot be used%s: %s", " (the last good ones stay)" * bool(self._keys), error
            )
            if self._keys is None:
                raise KeysUnavailable(str(error), retry_after_seconds=RETRY_SECONDS) from error
        else:
            self._stale_at = now + MAX_AGE_SECONDS
        finally:
            self._began = None
        return self._keys


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
            numbers = key.public_numbers()
            return _RSA if key.key_size in _RSA_BITS and numbers.n % 2 and numbers.e > 1 else frozenset()
        case ec.EllipticCurvePublicKey():
            return _CURVES.get(key.curve.name, frozenset())
        case ed25519.Ed25519PublicKey():
            return frozenset({"EdDSA"})
        case None:
            return frozenset()


def _texts(values: object) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


_JWS: Final = jwt.PyJWS()
