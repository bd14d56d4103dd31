"""The server's signing keys: a private JWK set (the secret SIGNING_KEYS), its rotation, and its public part.

Each key has `kid` (its RFC 7638 thumbprint), `alg`, `use`, `nbf` (it signs from then on) and, once replaced, `exp` (it
is published until then). A new key is published before it signs, so that verifiers know it in time; an old one stays
published while tokens that it signed are valid. Times are epoch seconds. Pure but for randomness.
"""

import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from issuer import digests

ALGORITHMS: Final = ("RS256", "ES256")
KEEP_SECONDS: Final = 86_400  # the longest token lifetime that the settings allow
MAX_LENGTH: Final = 65_536
MAX_KEYS: Final = 20

_RSA_BITS: Final = 2048
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_THUMBPRINT: Final = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey


class BadKeys(ValueError):
    """Not a set of signing keys. The text quotes nothing of a key but its id."""


@dataclass(frozen=True, slots=True)
class ServerKey:
    kid: str
    alg: str
    nbf: int
    exp: int | None
    private: PrivateKey = field(repr=False, compare=False)
    jwk: Mapping[str, str] = field(repr=False)  # without kid, alg, use, nbf, exp

    @property
    def public_jwk(self) -> dict[str, str]:
        public = {name: value for name, value in self.jwk.items() if name not in _PRIVATE}
        return {**public, "kid": self.kid, "alg": self.alg, "use": "sig"}


@dataclass(frozen=True, slots=True)
class ServerKeySet:
    keys: tuple[ServerKey, ...]


def new(algorithms: Iterable[str] = ("RS256", "ES256"), *, now: int) -> ServerKeySet:
    """A new key for each algorithm, which signs at once. Raises BadKeys for an unknown algorithm."""
    return ServerKeySet(tuple(_make(algorithm, now) for algorithm in dict.fromkeys(algorithms)))


def rotate(key_set: ServerKeySet, *, now: int, overlap_seconds: int, keep_seconds: int = KEEP_SECONDS) -> ServerKeySet:
    """A new key for each algorithm: published from now on, signing after `overlap_seconds`.

    The old ones are published until tokens that they signed until then have expired (`keep_seconds`). Keys whose time
    is up are left out.
    """
    begins = now + overlap_seconds
    ends = begins + keep_seconds
    kept = [key for key in key_set.keys if key.exp is None or now < key.exp]
    retired = [key if key.exp is not None else replace(key, exp=ends) for key in kept]
    fresh = [_make(algorithm, begins) for algorithm in dict.fromkeys(key.alg for key in kept)]
    return ServerKeySet((*retired, *fresh))


def signer(key_set: ServerKeySet, algorithm: str, *, now: int) -> ServerKey:
    """The newest key of the algorithm that signs now. Raises BadKeys if there is none."""
    fitting = [
        key for key in key_set.keys if key.alg == algorithm and key.nbf <= now and (key.exp is None or now < key.exp)
    ]
    if not fitting:
        raise BadKeys(f"SIGNING_KEYS: no {algorithm} key signs now; make one with: edgeworker oauth keys rotate")
    return max(fitting, key=lambda key: key.nbf)


def public(key_set: ServerKeySet, *, now: int) -> dict[str, object]:
    """The public JWK set."""
    return {"keys": [key.public_jwk for key in key_set.keys if key.exp is None or now < key.exp]}


def dump(key_set: ServerKeySet) -> str:
    """One line of JSON with base64url and numbers only."""
    return json.dumps({"keys": [_document(key) for key in key_set.keys]}, separators=(",", ":"))


def parse(text: str) -> ServerKeySet:
    """The keys of `dump`'s text.

    Raises:
        BadKeys: not a JWK set of private RSA (2048 bits or more) and P-256 keys; two keys with one id.
    """
    if len(text) > MAX_LENGTH:
        raise BadKeys(f"SIGNING_KEYS: longer than {MAX_LENGTH} characters")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadKeys("SIGNING_KEYS: it is not JSON") from None
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list) or not 0 < len(members) <= MAX_KEYS:
        raise BadKeys(f'SIGNING_KEYS: it is not a JWK set: an object with a list "keys" of 1 to {MAX_KEYS}')
    keys = tuple(_read(member, number) for number, member in enumerate(members, start=1))
    if len({key.kid for key in keys}) != len(keys):
        raise BadKeys("SIGNING_KEYS: two keys have the same kid")
    return ServerKeySet(keys)


def thumbprint(jwk: Mapping[str, object]) -> str:
    """RFC 7638, with SHA-256."""
    names = _THUMBPRINT[str(jwk["kty"])]
    return digests.digest(json.dumps({name: jwk[name] for name in names}, sort_keys=True, separators=(",", ":")))


def _document(key: ServerKey) -> dict[str, object]:
    made: dict[str, object] = {**key.jwk, "kid": key.kid, "alg": key.alg, "use": "sig", "nbf": key.nbf}
    return made if key.exp is None else {**made, "exp": key.exp}


def _make(algorithm: str, begins: int) -> ServerKey:
    private: PrivateKey
    match algorithm:
        case "RS256":
            private = rsa.generate_private_key(public_exponent=65_537, key_size=_RSA_BITS)
            jwk = _members(RSAAlgorithm.to_jwk(private))
        case "ES256":
            private = ec.generate_private_key(ec.SECP256R1())
            jwk = _members(ECAlgorithm.to_jwk(private))
        case _:
            raise BadKeys(f"{algorithm!r} is not one of {', '.join(ALGORITHMS)}")
    return ServerKey(thumbprint(jwk), algorithm, begins, None, private, jwk)


def _members(text: str) -> dict[str, str]:
    return {name: value for name, value in json.loads(text).items() if isinstance(value, str)}


def _read(member: object, number: int) -> ServerKey:
    where = f"SIGNING_KEYS: key {number}"
    if not isinstance(member, dict):
        raise BadKeys(f"{where} is not an object")
    algorithm, kid = member.get("alg"), member.get("kid")
    if algorithm not in ALGORITHMS:
        raise BadKeys(f"{where}: alg is not one of {', '.join(ALGORITHMS)}")
    if member.get("use", "sig") != "sig":
        raise BadKeys(f'{where}: use is not "sig"')
    begins, ends = member.get("nbf", 0), member.get("exp")
    if type(begins) is not int or not (ends is None or type(ends) is int):
        raise BadKeys(f"{where}: nbf and exp are whole numbers of epoch seconds")
    jwk = {
        name: value
        for name, value in member.items()
        if name in ("kty", "n", "e", "d", "p", "q", "dp", "dq", "qi", "crv", "x", "y") and isinstance(value, str)
    }
    private = _private(jwk, algorithm, where)
    if kid is None:
        kid = thumbprint(jwk)
    if not isinstance(kid, str) or not 0 < len(kid) <= 256 or not kid.isprintable():
        raise BadKeys(f"{where}: kid is not a string of at most 256 characters")
    return ServerKey(kid, algorithm, begins, ends, private, jwk)


def _private(jwk: Mapping[str, str], algorithm: str, where: str) -> PrivateKey:
    key: object
    try:
        key = (RSAAlgorithm if algorithm == "RS256" else ECAlgorithm).from_jwk(dict(jwk))
    except (InvalidKeyError, ValueError, TypeError, binascii.Error):
        raise BadKeys(f"{where}: it is not a valid {algorithm} key") from None
    match key:
        case RSAPrivateKey() if key.key_size >= _RSA_BITS:
            return key
        case RSAPrivateKey():
            raise BadKeys(f"{where}: {key.key_size} bits are too few; RSA keys have {_RSA_BITS} or more")
        case EllipticCurvePrivateKey() if key.curve.name == "secp256r1":
            return key
        case _:
            raise BadKeys(f"{where}: it is not a private {algorithm} key")
