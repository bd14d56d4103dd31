"""Verifies the tokens of Cloudflare Access at an origin: copy this module next to your worker.

    verifier = AccessVerifier("https://acme.cloudflareaccess.com", "<AUD tag>", fetch=fetch_certs)
    claims = await verifier.verify(token)

The rules: RS256 and a known `kid`; `iss`, `aud`, `type` "app" and `exp` are required; `leeway_seconds` for clocks that
differ. Keys are fetched from `<team domain>/cdn-cgi/access/certs`, kept, and fetched again when a token names a key
that is not known, but not more often than once a minute. Where the fetch fails the last good keys serve on for the
seven days that a key verifies after a rotation; without any keys nothing is accepted.
"""

import base64
import binascii
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

MAX_LEEWAY_SECONDS: Final = 300
REFETCH_SECONDS: Final = 60  # after a fetch, good or bad, an unknown kid starts another one only after this
FRESH_SECONDS: Final = 3600
STALE_SECONDS: Final = 7 * 86_400
MAX_TOKEN_BYTES: Final = 16_384
MAX_CERTS_BYTES: Final = 65_536
MAX_KEYS: Final = 16
MIN_KEY_BITS: Final = 2048

_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")

# Gives the body of the certs endpoint; raises for anything but a 200.
FetchCerts = Callable[[str], Awaitable[bytes]]
Claims = Mapping[str, object]


class AccessDenied(Exception):
    """The token is not one that may pass: answer 403. The text holds no part of the token."""


class KeysUnavailable(Exception):
    """There are no keys to verify with: answer 503. Nothing may pass."""


class AccessVerifier:
    """One for each isolate: it keeps the keys. `now` gives epoch seconds."""

    def __init__(
        self,
        team_domain: str,
        audience: str,
        *,
        fetch: FetchCerts,
        leeway_seconds: int = 60,
        now: Callable[[], float] = time.time,
    ) -> None:
        if not team_domain.startswith(("https://", "http://")) or team_domain.endswith("/"):
            raise ValueError(f'"{team_domain}" is not a team domain, such as "https://acme.cloudflareaccess.com"')
        if not audience:
            raise ValueError("the AUD tag of the application is missing")
        if not 0 <= leeway_seconds <= MAX_LEEWAY_SECONDS:
            raise ValueError(f"leeway_seconds is {leeway_seconds}; use 0 to {MAX_LEEWAY_SECONDS}")
        self._issuer = team_domain
        self._audience = audience
        self._certs_url = f"{team_domain}/cdn-cgi/access/certs"
        self._fetch = fetch
        self._leeway = leeway_seconds
        self._now = now
        self._keys: dict[str, RSAPublicKey] = {}
        self._fetched_at = float("-inf")  # the last good fetch
        self._tried_at = float("-inf")

    async def verify(self, token: str) -> Claims:
        """The claims of a good token. Raises AccessDenied or KeysUnavailable."""
        kid = _kid_of(token)
        key = await self._key(kid)
        try:
            claims: dict[str, object] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options={
                    "require": ["exp", "iat", "iss", "aud"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.PyJWTError as error:
            raise AccessDenied(f"the token is refused: {type(error).__name__}") from None
        self._check_times(claims)
        if claims.get("type") != "app":
            raise AccessDenied("the token is not an application's")
        return claims

    def _check_times(self, claims: Claims) -> None:
        """By the clock that was given, and for whole numbers only."""
        now = self._now()
        for name in ("exp", "iat", "nbf"):
            value = claims.get(name, 0 if name == "nbf" else None)
            if isinstance(value, bool) or not isinstance(value, int):
                raise AccessDenied(f"{name} is not a whole number")
            if name == "exp" and now >= value + self._leeway:
                raise AccessDenied("the token has expired")
            if name != "exp" and value > now + self._leeway:
                raise AccessDenied("the token is not valid yet")

    async def _key(self, kid: str) -> RSAPublicKey:
        now = self._now()
        is_known = kid in self._keys
        is_due = now - self._fetched_at >= FRESH_SECONDS
        if (not is_known or is_due) and now - self._tried_at >= REFETCH_SECONDS:
            await self._refresh(now)
        if self._now() - self._fetched_at >= STALE_SECONDS:
            raise KeysUnavailable("the keys of Access could not be fetched")
        if kid not in self._keys:
            raise AccessDenied("no key has the token's kid")
        return self._keys[kid]

    async def _refresh(self, now: float) -> None:
        self._tried_at = now
        try:
            keys = _keys_of(await self._fetch(self._certs_url))
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the last good keys stay
            print(f"the keys of Access could not be fetched: {type(error).__name__}: {error}")
            return
        self._keys, self._fetched_at = keys, now


def _kid_of(token: str) -> str:
    """Raises AccessDenied for what is not a compact token in its one form."""
    match = _COMPACT.fullmatch(token) if len(token) <= MAX_TOKEN_BYTES else None
    if match is None:
        raise AccessDenied("the token is not three base64url segments")
    header = _object(match[1])
    _object(match[2])
    _decode(match[3])
    kid = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(kid, str) or "crit" in header:
        raise AccessDenied("the token's header is not that of Access")
    return kid


def _decode(segment: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError):
        raise AccessDenied("a segment of the token is not base64url") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != segment:
        raise AccessDenied("a segment of the token is not base64url in its one form")
    return data


def _object(segment: str) -> dict[str, object]:
    try:
        value: object = json.loads(_decode(segment), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise AccessDenied("a segment of the token is not JSON") from None
    if not isinstance(value, dict):
        raise AccessDenied("a segment of the token is not an object")
    return value


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a member comes twice")
    return value


def _keys_of(content: bytes) -> dict[str, RSAPublicKey]:
    """Raises ValueError for what is not a set of keys that could verify something."""
    if len(content) > MAX_CERTS_BYTES:
        raise ValueError(f"the certs are larger than {MAX_CERTS_BYTES} bytes")
    document: object = json.loads(content)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_KEYS:
        raise ValueError("the certs have no keys")
    keys: dict[str, RSAPublicKey] = {}
    for item in listed:
        if not isinstance(item, dict) or item.get("kty") != "RSA" or item.get("use", "sig") != "sig" or "d" in item:
            raise ValueError("the certs have a key that is not a public RSA key for signatures")
        kid = item.get("kid")
        if not isinstance(kid, str) or kid in keys:
            raise ValueError("the certs have a key without a kid, or two with the same")
        key = RSAAlgorithm.from_jwk({str(name): value for name, value in item.items()})
        if not isinstance(key, RSAPublicKey) or key.key_size < MIN_KEY_BITS:
            raise ValueError(f"the certs have a key of less than {MIN_KEY_BITS} bits")
        keys[kid] = key
    return keys
