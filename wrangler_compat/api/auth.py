"""The API's authenticator: who may call, from where. A refusal is code 10000.

A token is asked for on every call. Beyond that web pages are kept out: a page in a browser on this machine can
reach a loopback socket, and with DNS rebinding it can do so under its own name. So the Host must be one of ours, and a
call with another Origin is refused; there is no CORS header in any answer. A client that guesses tokens has to wait.
"""

import hmac
import ipaddress
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from edgeworker.clock import Clock
from edgeworker.errors import ConfigError
from edgeworker.messages import Request
from edgeworker.rest import permissions
from edgeworker.rest.permissions import Need, Permission, Principal
from edgeworker.shared_counts import SharedCounts
from edgeworker.state import ApiToken, ApiTokens
from edgeworker.state.api_tokens import hash_secret
from wrangler_compat.api.attempts import MAX_WRONG_TOKENS, Attempts

_log = logging.getLogger(__name__)

# The name that clients with a fixed base URL call, through a hosts entry and a certificate of ours.
CLOUDFLARE_API_HOST: Final = "api.cloudflare.com"

_LOOPBACK_NAME: Final = "localhost"


@dataclass(frozen=True, slots=True)
class AuthRefusal:
    """`status` is 401 where a valid token would help, 429 where one would after `retry_after_seconds`, else 403.

    `reason` is for the caller; it holds no secret. `evidence` is for `edgeworker explain`, without
    values of the call.
    """

    status: int
    reason: str
    evidence: str
    retry_after_seconds: int = 0


class TokenVerifier(Protocol):
    async def check(self, text: str, *, now: int) -> Principal | None:
        """Who has this token, or None."""
        ...


class OneToken:
    """The edge's own token, which may do everything."""

    def __init__(self, text: str) -> None:
        if not text:
            raise ValueError("an empty API token would let anyone in")
        self._hash = hash_secret(text)

    async def check(self, text: str, *, now: int) -> Principal | None:
        if not hmac.compare_digest(hash_secret(text), self._hash):
            return None
        return Principal("edgeworker", "edgeworker", (Permission(Need.EVERYTHING),))


class NamedTokens:
    """The tokens that `edgeworker token create` made."""

    def __init__(self, tokens: ApiTokens) -> None:
        self._tokens = tokens

    async def check(self, text: str, *, now: int) -> Principal | None:
        token = await self._tokens.check(text, now=now)
        if token is None:
            return None
        return Principal(token.id, token.name, tuple(_parse_permissions(token)))


class Authenticator:
    """`hosts` are names, beyond IP addresses, localhost and api.cloudflare.com, under which the API may be called."""

    def __init__(
        self,
        checks: Sequence[TokenVerifier],
        *,
        clock: Clock,
        hosts: Collection[str] = (),
        counts: SharedCounts | None = None,
    ) -> None:
        """Wrong tokens are counted in `counts`; None: for this process alone."""
        self._checks = tuple(checks)
        self._clock = clock
        self._attempts = Attempts(SharedCounts() if counts is None else counts)
        self._hosts = frozenset(host.lower().removesuffix(".") for host in (*hosts, CLOUDFLARE_API_HOST))

    async def authorize(self, request: Request) -> Principal | AuthRefusal:
        """Raises StoreError if the named tokens cannot be read; then no request is let in."""
        if not self._is_our_host(request.url.hostname):
            reason = f'"{request.url.hostname}" is not a name of this API; add it to the API\'s hosts.'
            return AuthRefusal(403, reason, "the host is not a name of this API")
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        if (origin is not None and origin != request.url.origin) or site not in (None, "none", "same-origin"):
            reason = "Calls from a web page are refused; call from a program."
            return AuthRefusal(403, reason, "the call comes from a web page (Origin or Sec-Fetch-Site)")
        token = _token_of(request)
        if isinstance(token, AuthRefusal):
            return token
        now, ip = self._clock.now(), request.client.ip
        if (seconds := self._attempts.wait_seconds(ip, now=now)) > 0:
            reason = f"{MAX_WRONG_TOKENS} wrong tokens came from this address: wait {seconds} s."
            evidence = f"rate of wrong tokens: {MAX_WRONG_TOKENS} came from one client network"
            return AuthRefusal(429, reason, evidence, seconds)
        for check in self._checks:
            principal = await check.check(token, now=now)
            if principal is not None:
                return principal
        if self._attempts.failed(ip, token, now=now):
            _log.warning("%s tried %d wrong API tokens and has to wait", ip, MAX_WRONG_TOKENS)
        reason = "The API token is not known here, has expired or was revoked."
        return AuthRefusal(401, reason, "token unknown, expired or revoked")

    def _is_our_host(self, hostname: str) -> bool:
        # An address needs no look-up, so it cannot be rebound; a name can, unless it is one of ours.
        return (
            hostname in self._hosts
            or hostname == _LOOPBACK_NAME
            or hostname.endswith("." + _LOOPBACK_NAME)
            or _is_address(hostname)
        )


def _token_of(request: Request) -> str | AuthRefusal:
    authorizations = request.headers.get_all("authorization")
    keys = request.headers.get_all("x-auth-key")
    if len(authorizations) + len(keys) > 1:
        reason = "There is more than one credential; send one Authorization header."
        return AuthRefusal(401, reason, "more than one credential was shown")
    if keys:
        if not request.headers.get("x-auth-email"):
            return AuthRefusal(401, "X-Auth-Key goes with X-Auth-Email.", "X-Auth-Key was shown without X-Auth-Email")
        return keys[0]
    if not authorizations:
        return AuthRefusal(401, "There is no API token; send Authorization: Bearer <token>.", "no token was shown")
    scheme, _, token = authorizations[0].partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not token or " " in token:
        reason = "The Authorization header is not of the form: Bearer <token>."
        return AuthRefusal(401, reason, "the Authorization field is not of the form: Bearer <token>")
    return token


def _parse_permissions(token: ApiToken) -> Iterator[Permission]:
    """A permission that a newer version wrote and this one does not know grants nothing."""
    for written in token.permissions:
        try:
            yield permissions.parse(written)
        except ConfigError as error:
            _log.warning('API token "%s": %s', token.name, error)


def _is_address(hostname: str) -> bool:
    try:
        ipaddress.ip_address(hostname.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
