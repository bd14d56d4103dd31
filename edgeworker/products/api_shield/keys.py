"""The keys of a token configuration: what is taken of a JSON Web Key Set, and what is left out and why.
Pure.

Source: https://developers.cloudflare.com/api-shield/security/jwt-validation/api/ and RFC 7517, RFC 7518, RFC 8725.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from edgeworker.config import JSON
from edgeworker.products.api_shield.json_text import InvalidText, decode_base64url, encode_base64url
from edgeworker.products.api_shield.weak_rsa import has_roca_fingerprint

MAX_KEYS: Final = 16
MAX_KID_CHARACTERS: Final = 1024
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 16_384
DEFAULTED_ALG_CODE: Final = 110003

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "HS256", "HS384", "HS512"
]  # fmt: skip

RSA_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_EC_ALGORITHMS: Final[Mapping[str, tuple[Algorithm, int]]] = {"P-256": ("ES256", 32), "P-384": ("ES384", 48)}
_CURVES: Final[Mapping[str, ec.EllipticCurve]] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}
MIN_SECRET_BYTES: Final[Mapping[str, int]] = {"HS256": 32, "HS384": 48, "HS512": 64}
_PRIVATE_MEMBERS: Final = ("d", "p", "q", "dp", "dq", "qi", "oth")


@dataclass(frozen=True, slots=True)
class RSAKey:
    kid: str
    alg: Algorithm
    public_key: rsa.RSAPublicKey = field(repr=False, compare=False)
    jwk: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ECKey:
    kid: str
    alg: Algorithm
    public_key: ec.EllipticCurvePublicKey = field(repr=False, compare=False)
    jwk: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecretKey:
    """`jwk` is without the secret."""

    kid: str
    alg: Algorithm
    secret: bytes = field(repr=False)
    jwk: Mapping[str, str] = field(repr=False)


VerificationKey = RSAKey | ECKey | SecretKey


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice about a set, not an error: an `alg` that was made up (`code` 110003), or a key that was left out."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class VerificationKeys:
    keys: tuple[VerificationKey, ...] = ()
    notices: tuple[Notice, ...] = ()
    dropped: int = 0

    def find(self, kid: str, alg: str) -> VerificationKey | None:
        return next((key for key in self.keys if key.kid == kid and key.alg == alg), None)

    def has_kid(self, kid: str) -> bool:
        return any(key.kid == kid for key in self.keys)


class InvalidKeys(ValueError):
    """A set that is refused whole."""


class _UnusableKey(Exception):
    """Why one key is left out."""


@dataclass(frozen=True, slots=True)
class StoredSecrets:
    """Secrets by (alg, kid), which a key without `k` keeps."""

    secrets: Mapping[tuple[str, str], bytes] = field(default_factory=dict, repr=False)


def read_keys(keys: Sequence[JSON], *, kept: StoredSecrets | None = None) -> VerificationKeys:
    """The keys that can verify tokens. With `kept` an "oct" key may leave out `k`.

    Raises InvalidKeys for a private key, for a secret that is missing or too short, for two keys of one (alg, kid), for
    too many, and where no key is left.
    """
    taken: list[VerificationKey] = []
    notices: list[Notice] = []
    dropped = 0
    for index, value in enumerate(keys):
        try:
            key, defaulted = _read_key(value, index, kept)
        except _UnusableKey as reason:
            dropped += 1
            notices.append(Notice(DEFAULTED_ALG_CODE + 1, f"keys[{index}] was dropped: {reason}"))
            continue
        if defaulted:
            notices.append(
                Notice(
                    DEFAULTED_ALG_CODE, f'keys[{index}].alg was omitted and defaulted to "{key.alg}" (kid "{key.kid}")'
                )
            )
        if any((other.alg, other.kid) == (key.alg, key.kid) for other in taken):
            raise InvalidKeys(f'keys[{index}]: there are two keys with alg {key.alg} and kid "{key.kid}"')
        taken.append(key)
    if len(taken) > MAX_KEYS:
        raise InvalidKeys(f"a configuration holds at most {MAX_KEYS} keys; these are {len(taken)}")
    if not taken:
        why = "; ".join(notice.text for notice in notices) or "the set is empty"
        raise InvalidKeys(f"no key is left that can verify a token: {why}")
    return VerificationKeys(tuple(taken), tuple(notices), dropped)


def _read_key(value: JSON, index: int, kept: StoredSecrets | None) -> tuple[VerificationKey, bool]:
    if not isinstance(value, dict):
        raise InvalidKeys(f"keys[{index}] is not a JSON object")
    private = [name for name in _PRIVATE_MEMBERS if name in value]
    if private or ("k" in value and value.get("kty") != "oct"):
        shown = private[0] if private else "k"
        raise InvalidKeys(f'keys[{index}] is a private key (it has "{shown}"); give the public one only')
    _check_use(value)
    kid = value.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID_CHARACTERS:
        raise _UnusableKey("it has no kid, without which no token can name it")
    try:
        match value.get("kty"):
            case "RSA":
                return _read_rsa(value, kid)
            case "EC":
                return _read_ec(value, kid)
            case "oct":
                return _read_secret(value, kid, index, kept), False
            case other:
                raise _UnusableKey(f"kty {_describe(other)} is not supported; use RSA, EC or oct")
    except InvalidText as error:
        raise _UnusableKey(str(error)) from None


def _check_use(value: Mapping[str, JSON]) -> None:
    if value.get("use", "sig") != "sig":
        raise _UnusableKey(f'its use is {_describe(value.get("use"))}, not "sig"')
    operations = value.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise _UnusableKey('its key_ops do not have "verify"')


def _read_rsa(value: Mapping[str, JSON], kid: str) -> tuple[VerificationKey, bool]:
    alg = value.get("alg", "RS256")
    chosen = next((name for name in RSA_ALGORITHMS if name == alg), None)
    if chosen is None:
        raise _UnusableKey(f"alg {_describe(alg)} is not for RSA keys; use one of {', '.join(RSA_ALGORITHMS)}")
    modulus, exponent = _number(value, "n"), _number(value, "e")
    bits = modulus.bit_length()
    if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        raise _UnusableKey(f"its modulus has {bits} bits; {MIN_RSA_BITS} to {MAX_RSA_BITS} are accepted")
    if modulus % 2 == 0 or exponent < 3 or exponent % 2 == 0 or exponent.bit_length() > 64:
        raise _UnusableKey("its modulus or exponent is not one of a sound key")
    if has_roca_fingerprint(modulus):
        raise _UnusableKey("its modulus can be factored (CVE-2017-15361)")
    try:
        public_key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        raise _UnusableKey("its modulus or exponent is not one of a sound key") from None
    jwk = {"kty": "RSA", "kid": kid, "alg": chosen, "n": _canonical(modulus), "e": _canonical(exponent)}
    return RSAKey(kid, chosen, public_key, jwk), "alg" not in value


def _read_ec(value: Mapping[str, JSON], kid: str) -> tuple[VerificationKey, bool]:
    curve = value.get("crv")
    if not isinstance(curve, str) or curve not in _EC_ALGORITHMS:
        raise _UnusableKey(f"crv {_describe(curve)} is not supported; use P-256 or P-384")
    chosen, size = _EC_ALGORITHMS[curve]
    if value.get("alg", chosen) != chosen:
        raise _UnusableKey(f"alg {_describe(value.get('alg'))} does not fit the curve {curve}, which is for {chosen}")
    x, y = _coordinate(value, "x", size), _coordinate(value, "y", size)
    try:
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), _CURVES[curve])
        public_key = numbers.public_key()
    except ValueError:
        raise _UnusableKey(f"its point is not on the curve {curve}") from None
    jwk = {"kty": "EC", "kid": kid, "alg": chosen, "crv": curve, "x": encode_base64url(x), "y": encode_base64url(y)}
    return ECKey(kid, chosen, public_key, jwk), "alg" not in value


def _read_secret(value: Mapping[str, JSON], kid: str, index: int, kept: StoredSecrets | None) -> SecretKey:
    alg = value.get("alg")
    chosen = next((name for name in ("HS256", "HS384", "HS512") if name == alg), None)
    if chosen is None:
        raise _UnusableKey(f"alg {_describe(alg)} is not for oct keys; give one of HS256, HS384, HS512")
    if "k" not in value and kept is not None and (chosen, kid) in kept.secrets:
        secret = kept.secrets[chosen, kid]
    else:
        text = value.get("k")
        if not isinstance(text, str):
            raise InvalidKeys(f"keys[{index}].k is missing; an oct key needs its secret as base64url")
        try:
            secret = decode_base64url(text, f"secret keys[{index}].k")
        except InvalidText as error:
            raise InvalidKeys(str(error)) from None
    least = MIN_SECRET_BYTES[chosen]
    if len(secret) < least:
        raise InvalidKeys(f"keys[{index}].k has {len(secret)} bytes; {chosen} needs at least {least}")
    return SecretKey(kid, chosen, secret, {"kty": "oct", "kid": kid, "alg": chosen})


def secrets_of(keys: Sequence[VerificationKey]) -> dict[tuple[str, str], bytes]:
    return {(key.alg, key.kid): key.secret for key in keys if isinstance(key, SecretKey)}


def _number(value: Mapping[str, JSON], name: str) -> int:
    text = value.get(name)
    if not isinstance(text, str) or not text:
        raise _UnusableKey(f"its {name} is missing")
    if len(text) > MAX_RSA_BITS // 4:
        raise _UnusableKey(f"its {name} is too long")
    return int.from_bytes(decode_base64url(text, f"member {name}"), "big")


def _coordinate(value: Mapping[str, JSON], name: str, size: int) -> bytes:
    text = value.get(name)
    if not isinstance(text, str):
        raise _UnusableKey(f"its {name} is missing")
    data = decode_base64url(text, f"member {name}")
    if len(data) != size:
        raise _UnusableKey(f"its {name} has {len(data)} bytes instead of {size}")
    return data


def _canonical(number: int) -> str:
    return encode_base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _describe(value: JSON) -> str:
    return (
        f'"{value[:40]}"'
        if isinstance(value, str)
        else "that is not a text"
        if value is not None
        else "that is missing"
    )
