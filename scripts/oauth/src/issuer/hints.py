"""Reads id_token_hint: an ID token that this issuer signed, whenever that was. Pure but for the fetch it is given."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Final

_log = logging.getLogger("oauth")

MAX_LENGTH: Final = 8192
MAX_DOCUMENT_LENGTH: Final = 262_144
MAX_AGE_SECONDS: Final = 600
REFETCH_SECONDS: Final = 60  # at most one fetch for unknown key ids in this time, whatever comes in
ALGORITHMS: Final = ("RS256", "ES256")


class Hints:
    """One per isolate. Keeps the last good key set while no newer one can be had."""

    def __init__(self, issuer: str, get: Callable[[], Awaitable[str]]) -> None:
        """`get` fetches the text of the issuer's own JWK set, and raises OSError where that fails."""
        self._issuer = issuer
        self._get = get
        self._keys: dict[str, dict[str, object]] = {}
        self._fetched_at = self._tried_at = -float("inf")

    async def claims(self, token: str, *, now: float) -> dict[str, object] | None:
        """The claims of an ID token of ours, expired or not (OpenID Connect Core section 3.1.2.1); else None."""
        # Only here, so that a server which nobody gives a hint needs no package.
        import jwt

        if len(token) > MAX_LENGTH:
            return None
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            return None
        kid, algorithm = header.get("kid"), header.get("alg")
        # An access token has another type, and says nothing about who used this browser.
        if not isinstance(kid, str) or algorithm not in ALGORITHMS or header.get("typ", "JWT") != "JWT":
            return None
        member = await self._key(kid, now)
        if member is None or member.get("alg", algorithm) != algorithm:
            return None
        try:
            key = jwt.PyJWK.from_dict(member, algorithm=algorithm)
            found: dict[str, object] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                options={
                    "require": ["iss", "sub", "aud", "iat", "exp"],
                    # Its times do not matter, and its audience is compared by who asks.
                    **dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_aud"), False),
                },
            )
        except jwt.PyJWTError:
            return None
        return found

    async def _key(self, kid: str, now: float) -> dict[str, object] | None:
        is_stale = now >= self._fetched_at + MAX_AGE_SECONDS
        if (is_stale or kid not in self._keys) and now >= self._tried_at + REFETCH_SECONDS:
            self._tried_at = now
            try:
                self._keys = _public_keys(await self._get())
                self._fetched_at = now
            except (OSError, ValueError, RecursionError) as error:
                _log.warning("the issuer's own keys cannot be had, so no id_token_hint is believed: %s", error)
        return self._keys.get(kid)


def _public_keys(document: str) -> dict[str, dict[str, object]]:
    """By id. Raises ValueError for what is no JWK set."""
    if len(document) > MAX_DOCUMENT_LENGTH:
        raise ValueError(f"the key set is longer than {MAX_DOCUMENT_LENGTH} characters")
    parsed = json.loads(document)
    members = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(members, list):
        raise ValueError("it is no JWK set")
    keys = {}
    for member in members:
        if (
            isinstance(member, dict)
            and isinstance(kid := member.get("kid"), str)
            and member.get("kty") in ("RSA", "EC")
        ):
            keys[kid] = member
    return keys
