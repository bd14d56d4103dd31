"""What the parts of Access in one edge share."""

import itertools
import logging
import secrets
from collections.abc import Iterator, Mapping
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import JSON
from edgeworker.handler import Handler
from edgeworker.messages import Request, Response
from edgeworker.products.access import cookies, jws, replies, tokens
from edgeworker.products.access.authentication import AccessAuthenticator
from edgeworker.products.access.config import DAY_SECONDS, AccessConfig, Application, ServiceToken, worker_tag
from edgeworker.products.access.directory import Directory, Snapshot
from edgeworker.products.access.identity_document import identity_document
from edgeworker.products.access.issuing import AccessTokenIssuer
from edgeworker.products.access.jws import InvalidToken
from edgeworker.products.access.keys import certs
from edgeworker.products.access.opaque_tokens import OpaqueTokens
from edgeworker.products.access.policy import Identity
from edgeworker.products.access.sessions import Session, Sessions
from edgeworker.routing import Resolver
from edgeworker.shared_counts import SharedCounts
from edgeworker.state import DocumentStore, Put

_log = logging.getLogger(__name__)

_CERTS_SECONDS: Final = 300
_LOGINS_KEPT_SECONDS: Final = 7 * DAY_SECONDS
_FAILED_LOGINS_KEPT_SECONDS: Final = DAY_SECONDS


class AccessServices:
    """One for each edge; its parts are public to the handlers of this product."""

    def __init__(
        self,
        config: AccessConfig,
        *,
        account_id: str,
        documents: DocumentStore,
        clock: Clock,
        resolver: Resolver,
        internet: Handler,
        developing: bool,
        counts: SharedCounts,
    ) -> None:
        """`developing`: the login page offers local identities; else only where edge.toml says so."""
        self.config = config
        self.account_id = account_id
        self.documents = documents
        self.clock = clock
        self.resolver = resolver
        self.internet = internet
        self.counts = counts
        self.directory = Directory(config, documents, clock, local_login=developing or config.local_login)
        self.sessions = Sessions(self.directory, clock)
        self.opaque = OpaqueTokens(documents, self.sessions, clock)
        self.authenticator = AccessAuthenticator(self.sessions, self.opaque, clock)
        self.issuer = AccessTokenIssuer(self.directory, self.sessions, clock, account_id)
        self._order = itertools.count()

    async def load_identity(self, nonce: str) -> Mapping[str, object] | None:
        """What `getIdentity()` of a worker gives."""
        identity = await self.authenticator.identity(nonce)
        return None if identity is None else identity_document(identity, account_id=self.account_id)

    def worker_ids(self, name: str) -> tuple[str, str]:
        """How a destination may name a worker: by its tag, or by its name."""
        return worker_tag(name), name

    def log_denied_service(self, token: ServiceToken, application: Application) -> None:
        _log.warning('Access: service token "%s" is not allowed by any policy of %s', token.name, application.name)

    async def certs(self) -> Response:
        """The public keys. Their order changes with each answer, as it may at Cloudflare's."""
        snapshot = await self.directory.signing()
        document = certs(snapshot.keys, now=self.clock.now(), swap=next(self._order) % 2 == 1)
        fields = {"Cache-Control": f"public, max-age={_CERTS_SECONDS}", "Access-Control-Allow-Origin": "*"}
        return replies.json_reply(document, headers=fields)

    async def organization_session(self, request: Request, snapshot: Snapshot) -> Session | None:
        """The global session of a browser at the team domain."""
        for text in self.team_tokens(request):
            try:
                token, _ = tokens.read(
                    text, snapshot.keys, issuer=snapshot.organization.issuer, type="org", now=self.clock.now()
                )
                nonce = jws.text(token.claims, "identity_nonce")
            except InvalidToken:
                continue
            if jws.audiences(token.claims) != (self.issuer.organization_aud(),):
                continue
            session = await self.sessions.find(nonce, snapshot)
            if session is not None and self.clock.now() < session.expires_at:
                return session
        return None

    async def session_for(self, request: Request, application: Application, snapshot: Snapshot) -> Session | None:
        """The global session, where the application takes it: its people are of the same population, and it allows the
        provider that they logged in with."""
        session = await self.organization_session(request, snapshot)
        if session is None or session.population != application.user_population:
            return None
        allowed = application.allowed_idps
        return session if not allowed or session.identity.provider_id in allowed else None

    @staticmethod
    def team_tokens(request: Request) -> Iterator[str]:
        yield from cookies.values_of(request.credentials.cookie, cookies.AUTHORIZATION)
        if request.credentials.access_token:
            yield request.credentials.access_token

    async def token_session(self, text: str, snapshot: Snapshot) -> tuple[Application, Session | None, str] | None:
        """(application, login or None for a service token, its Client ID) of any application's token."""
        try:
            audiences = jws.audiences(jws.parse(text).claims)
            application = snapshot.index.by_aud(audiences[0]) if len(audiences) == 1 else None
            if application is None:
                return None
            issuer, now = snapshot.organization.issuer, self.clock.now()
            claims = tokens.read_app_token(text, application, snapshot.keys, issuer=issuer, now=now)
        except InvalidToken:
            return None
        if claims.common_name:
            known = claims.common_name in snapshot.service_tokens
            return (application, None, claims.common_name) if known else None
        found = await self.sessions.find_granted(claims.nonce, application, snapshot)
        return None if found is None else (application, found[1], "")

    async def record_login(self, identity: Identity, application: Application, ray: str, *, allowed: bool) -> None:
        """For the API's lists of logins and of failed ones. `identity` has the address that it came from."""
        now, email = self.clock.now(), identity.email
        value: dict[str, JSON] = {
            "action": "login",
            "allowed": allowed,
            "app_domain": application.domain,
            "app_uid": application.id,
            "connection": identity.provider_type,
            "country": identity.country,
            "created_at": now,
            "ip_address": identity.ip,
            "ray_id": ray,
            "user_email": email,
        }
        identifier = f"{now:012d}:{secrets.token_hex(8)}"
        changes = [Put("login", identifier, value, expires_at=now + _LOGINS_KEPT_SECONDS)]
        if not allowed:
            failed: dict[str, JSON] = {"email": email, "app": application.id, "at": now}
            changes.append(
                Put("failed_login", f"{now}:{email}"[:200], failed, expires_at=now + _FAILED_LOGINS_KEPT_SECONDS)
            )
            _log.warning("Access: %s is not allowed by any policy of %s", email, application.name)
        await self.documents.write(changes)
