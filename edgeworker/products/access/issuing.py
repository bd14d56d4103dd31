"""Makes Access's tokens with the key that signs now, and caches those of service tokens for a while."""

import hashlib
import secrets
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import JSON
from edgeworker.messages import Request
from edgeworker.products.access import tokens
from edgeworker.products.access.config import Application, Policy, ServiceToken
from edgeworker.products.access.directory import Directory, Snapshot
from edgeworker.products.access.login_links import browser_origin, meta_claims
from edgeworker.products.access.objects import made_up_aud
from edgeworker.products.access.sessions import Session, Sessions

# A service token's requests come in numbers, and a signature costs a millisecond: one token serves for so long.
_REUSED_SECONDS: Final = 60
_MAX_CACHED: Final = 4096
# "0s" is a session that ends at once; the redirect after a login has to get through all the same.
_MIN_SECONDS: Final = 60


class AccessTokenIssuer:
    """One for each edge. `account_id` stands in the organization's tokens."""

    def __init__(self, directory: Directory, sessions: Sessions, clock: Clock, account_id: str) -> None:
        self._directory = directory
        self._sessions = sessions
        self._clock = clock
        self._account_id = account_id
        self._cached: dict[tuple[str, str], tuple[str, int, int]] = {}

    def seconds(self, application: Application, policy: Policy, snapshot: Snapshot) -> int:
        """The policy's duration, else the application's, else the organization's."""
        for seconds in (policy.session_seconds, application.session_seconds):
            if seconds is not None:
                return max(seconds, _MIN_SECONDS)
        return snapshot.organization.session_seconds

    async def identity_token(
        self, session: Session, application: Application, policy: Policy, *, binding: str = ""
    ) -> tuple[str, int]:
        """(a token of this application for a login, its seconds)."""
        snapshot = await self._directory.signing()
        seconds = self.seconds(application, policy, snapshot)
        grant = await self._sessions.open_application(
            session, application, policy, snapshot, seconds=seconds, binding=binding
        )
        claims = tokens.identity_claims(
            session.identity,
            application,
            issuer=snapshot.organization.issuer,
            nonce=grant.nonce,
            now=grant.issued_at,
            seconds=seconds,
            policy_id=policy.id,
        )
        return tokens.sign(claims, snapshot.keys.current), seconds

    async def linked_token(self, session: Session, application: Application, policy: Policy) -> str:
        """As `identity_token`, cached for a while: the same client asks again and again."""
        snapshot = await self._directory.signing()
        key = (session.id, application.id)
        cached = self._find_cached(key, snapshot)
        if cached is None:
            cached, _ = await self.identity_token(session, application, policy)
            self._cache(key, cached, snapshot)
        return cached

    async def service_token(
        self, token: ServiceToken | None, application: Application, policy: Policy
    ) -> tuple[str, int]:
        """(a token of this application for a service token, or for a client certificate alone; its seconds)."""
        snapshot = await self._directory.signing()
        client_id = "" if token is None else token.client_id
        seconds = self.seconds(application, policy, snapshot)
        key = (client_id, application.id)
        cached = self._find_cached(key, snapshot)
        if cached is None:
            claims = tokens.service_claims(
                client_id, application, issuer=snapshot.organization.issuer, now=self._clock.now(), seconds=seconds
            )
            cached = tokens.sign(claims, snapshot.keys.current)
            self._cache(key, cached, snapshot)
        return cached, seconds

    def _find_cached(self, key: tuple[str, str], snapshot: Snapshot) -> str | None:
        text, serial, until = self._cached.get(key, ("", -1, 0))
        return text if serial == snapshot.serial and self._clock.now() < until else None

    def _cache(self, key: tuple[str, str], text: str, snapshot: Snapshot) -> None:
        if len(self._cached) >= _MAX_CACHED:
            self._cached.clear()
        self._cached[key] = (text, snapshot.serial, self._clock.now() + min(_REUSED_SECONDS, _MIN_SECONDS // 2))

    async def organization_token(self, session: Session) -> tuple[str, int]:
        """(the global session's token, its seconds)."""
        snapshot = await self._directory.signing()
        now = self._clock.now()
        seconds = max(0, session.expires_at - now)
        claims = tokens.organization_claims(
            session.identity,
            aud=self.organization_aud(),
            account_id=self._account_id,
            issuer=snapshot.organization.issuer,
            nonce=session.id,
            now=now,
            seconds=seconds,
        )
        return tokens.sign(claims, snapshot.keys.current), seconds

    def organization_aud(self) -> str:
        return made_up_aud("organization", self._directory.config.auth_domain)

    async def meta_token(
        self,
        application: Application,
        request: Request,
        *,
        service_token: bool,
        country: str,
        app_session: str,
        chain: tuple[str, ...] = (),
        final: str = "",
    ) -> str:
        snapshot = await self._directory.signing()
        claims = meta_claims(
            application,
            request.url,
            origin=browser_origin(request),
            issuer=snapshot.organization.issuer,
            service_token=service_token,
            country=country,
            app_session_hash=secret_hash(app_session),
            now=self._clock.now(),
            chain=chain,
            final=final,
        )
        return tokens.sign(claims, snapshot.keys.current)

    async def match_token(self, application: Application, *, hostname: str, uri: str) -> str:
        """What cloudflared asks for before it logs in."""
        snapshot = await self._directory.signing()
        claims: dict[str, JSON] = {
            "type": "match",
            "hostname": hostname,
            "auth_domain": snapshot.organization.auth_domain,
            "aud": application.aud,
            "app_hostname": uri,
            "iss": snapshot.organization.issuer,
            "iat": self._clock.now(),
        }
        return tokens.sign(claims, snapshot.keys.current)


def secret_hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


def new_cookie_secret() -> str:
    return secrets.token_urlsafe(32)
