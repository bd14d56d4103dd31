"""Finds out who a request is from: session tokens, service tokens, tokens of linked applications and of OAuth clients.

Nothing is trusted unless it was verified against the current snapshot. A verified token is remembered until it expires,
and verified again as soon as there is another snapshot, so that a revocation wins.
"""

import hashlib
import hmac
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import JSON
from edgeworker.messages import Request
from edgeworker.products.access import cookies, service_tokens
from edgeworker.products.access.config import Application, ServiceToken
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.jws import InvalidToken
from edgeworker.products.access.opaque_tokens import OpaqueTokens
from edgeworker.products.access.policy import Identity, Visitor, flat, policies_of
from edgeworker.products.access.remembered import RememberedToken, RememberedTokens
from edgeworker.products.access.rules import LinkedAppTokenRule
from edgeworker.products.access.service_tokens import MalformedCredential, PresentedCredential, RefusedToken, ValidToken
from edgeworker.products.access.sessions import Session, Sessions
from edgeworker.products.access.tokens import read_app_token

_log = logging.getLogger(__name__)

_MAX_IDENTITIES: Final = 2048


@dataclass(frozen=True, slots=True)
class AppSession:
    """A verified application token. `nonce` is "" for a service token's, and `email` its Client ID then."""

    token: str
    entry: RememberedToken

    @property
    def is_service(self) -> bool:
        return not self.entry.nonce


@dataclass(frozen=True, slots=True)
class ServiceCheck:
    """The result for a service token that a request shows; `token` if it is valid."""

    token: ServiceToken | None = None
    is_malformed: bool = False


class AccessAuthenticator:
    """One for each edge."""

    def __init__(self, sessions: Sessions, opaque: OpaqueTokens, clock: Clock) -> None:
        self._sessions = sessions
        self._opaque = opaque
        self._clock = clock
        self._remembered = RememberedTokens()
        self._identities: dict[str, Identity] = {}
        self._identities_serial = 0

    def remembered(self, token: str, aud: str, snapshot: Snapshot) -> RememberedToken | None:
        """Look a token up without waiting: only one that was verified against this snapshot is found."""
        entry = self._remembered.find(token, self._clock.now())
        return entry if entry is not None and entry.serial == snapshot.serial and entry.aud == aud else None

    async def app_session(self, request: Request, application: Application, snapshot: Snapshot) -> AppSession | None:
        """The first token of this application among those that the request brings."""
        for token in candidates(request):
            entry = self.remembered(token, application.aud, snapshot)
            if entry is not None:
                return AppSession(token, entry)
            found = await self.verified(token, request, application, snapshot)
            if found is not None:
                return found
        return None

    async def verified(
        self, token: str, request: Request, application: Application, snapshot: Snapshot
    ) -> AppSession | None:
        """Verify a token of this application: its signature, times, login and revocation."""
        if snapshot.serial != self._identities_serial:
            self._identities.clear()  # an identity may have been refreshed
            self._identities_serial = snapshot.serial
        issuer, now = snapshot.organization.issuer, self._clock.now()
        try:
            claims = read_app_token(token, application, snapshot.keys, issuer=issuer, now=now)
        except InvalidToken as error:
            _log.debug("Access: a token for %s was refused: %s", application.name, error)
            return None
        if claims.common_name:
            service = snapshot.service_tokens.get(claims.common_name)
            if service is None or service_tokens.find_problem(service, now) is not None:
                return None
            if claims.issued_at <= snapshot.revocations.app_moment(application.id):
                return None
            entry = RememberedToken(claims.valid_until, snapshot.serial, application.aud, "", claims.common_name)
        else:
            found = await self._sessions.find_granted(claims.nonce, application, snapshot)
            if found is None:
                return None
            grant, session = found
            if grant.binding_hash and not _has_binding(request, grant.binding_hash):
                return None
            self._keep_identity(claims.nonce, session.identity)
            email = session.identity.email
            entry = RememberedToken(claims.valid_until, snapshot.serial, application.aud, claims.nonce, email)
            if grant.binding_hash:
                return AppSession(token, entry)  # the cookie that it is bound to has to be looked at each time
        self._remembered.remember(token, entry)
        return AppSession(token, entry)

    def forget(self, token: str) -> None:
        """The next request with it is verified again."""
        self._remembered.forget(token)

    async def identity(self, nonce: str) -> Identity | None:
        """Who logged in, as it was known then. The token was verified before."""
        known = self._identities.get(nonce)
        if known is not None:
            return known
        grant = await self._sessions.find_grant(nonce)
        session = None if grant is None else await self._sessions.find_stored(grant.session_id)
        if session is None:
            return None
        self._keep_identity(nonce, session.identity)
        return session.identity

    def _keep_identity(self, nonce: str, identity: Identity) -> None:
        if len(self._identities) >= _MAX_IDENTITIES:
            del self._identities[next(iter(self._identities))]
        self._identities[nonce] = identity

    def service_token(self, request: Request, application: Application, snapshot: Snapshot) -> ServiceCheck | None:
        """None where the request shows none."""
        match service_tokens.read_credential(request.credentials, request.headers, application):
            case None:
                return None
            case MalformedCredential():
                return ServiceCheck(is_malformed=True)
            case PresentedCredential() as credential:
                match service_tokens.check_credential(credential, snapshot.service_tokens, self._clock.now()):
                    case ValidToken(token):
                        return ServiceCheck(token)
                    case RefusedToken(problem, token):
                        if token is not None:
                            _log.warning(
                                'Access: service token "%s" was refused at %s: %s',
                                token.name,
                                application.name,
                                problem,
                            )
                        return ServiceCheck()

    async def visitor(
        self,
        request: Request,
        application: Application,
        snapshot: Snapshot,
        *,
        service_token: ServiceToken | None,
        session: AppSession | None,
    ) -> Visitor:
        """What the policies decide on."""
        identity = None
        token_id = None if service_token is None else service_token.id
        if session is not None and not session.is_service:
            identity = await self.identity(session.entry.nonce)
        elif session is not None and service_token is None:
            known = snapshot.service_tokens.get(session.entry.email)
            token_id = None if known is None else known.id
        linked: frozenset[str] = frozenset()
        if identity is None and token_id is None:
            linked, identity = await self._find_linked(request, application, snapshot)
        country, presented, common_name = request_facts(request)
        return Visitor(
            request.client.ip, country, presented, common_name, token_id, linked, identity if not linked else None
        )

    async def linked_session(self, request: Request, application: Application, snapshot: Snapshot) -> Session | None:
        """The session of a linked application's token that came with the request."""
        for other in _linked_applications(application, snapshot):
            found = await self._find_session_at(request, other, snapshot)
            if found is not None:
                return found
        return None

    async def _find_linked(
        self, request: Request, application: Application, snapshot: Snapshot
    ) -> tuple[frozenset[str], Identity | None]:
        for other in _linked_applications(application, snapshot):
            session = await self._find_session_at(request, other, snapshot)
            if session is not None:
                return frozenset({other.id}), session.identity
        return frozenset(), None

    async def _find_session_at(self, request: Request, other: Application, snapshot: Snapshot) -> Session | None:
        if other.saas is not None:
            found = await self._opaque.find("saas_access", bearer(request), snapshot)
            return found.session if found is not None and found.application_id == other.id else None
        token = request.credentials.access_token
        if token is None:
            return None
        try:
            claims = read_app_token(
                token, other, snapshot.keys, issuer=snapshot.organization.issuer, now=self._clock.now()
            )
        except InvalidToken:
            return None
        found_session = await self._sessions.find_granted(claims.nonce, other, snapshot)
        return None if found_session is None else found_session[1]


def _linked_applications(application: Application, snapshot: Snapshot) -> Iterator[Application]:
    rules = (rule for policy in policies_of(application) for rule in flat(policy.rules, snapshot.context))
    for uid in dict.fromkeys(rule.app_uid for rule in rules if isinstance(rule, LinkedAppTokenRule)):
        other = snapshot.application(uid)
        if other is not None:
            yield other


def candidates(request: Request) -> Iterator[str]:
    """The tokens that may be this application's: both header fields, then each cookie of the name."""
    credentials = request.credentials
    if credentials.access_token:
        yield credentials.access_token
    if credentials.access_assertion:
        yield credentials.access_assertion
    yield from cookies.values_of(credentials.cookie, cookies.AUTHORIZATION)


def bearer(request: Request) -> str:
    """The token of `Authorization: Bearer`, or ""."""
    scheme, _, token = (request.credentials.authorization or "").partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else ""


def request_facts(request: Request) -> tuple[str, bool, str]:
    """(country, whether a client certificate was verified, its common name)."""
    cf = request.cf or {}
    country = cf.get("country")
    tls = cf.get("tlsClientAuth")
    presented, subject = False, ""
    if isinstance(tls, dict):
        presented = tls.get("certPresented") == "1" and tls.get("certVerified") == "SUCCESS"
        subject = str(tls.get("certSubjectDNRFC2253") or "")
    return (country if isinstance(country, str) else ""), presented, _common_name(subject) if presented else ""


def _common_name(subject: str) -> str:
    """Of a name such as `CN=ci,O=Acme`; a comma within a value is escaped there."""
    for part in subject.replace("\\,", "\0").split(","):
        key, _, value = part.strip().partition("=")
        if key.upper() == "CN":
            return value.replace("\0", ",")
    return ""


def _has_binding(request: Request, expected_hash: str) -> bool:
    return any(
        hmac.compare_digest(hashlib.sha256(value.encode()).hexdigest(), expected_hash)
        for value in cookies.values_of(request.credentials.cookie, cookies.BINDING)
    )


def log_fields(visitor: Visitor) -> dict[str, JSON]:
    """For a log line about who was let in; it holds no secret."""
    return {
        "email": visitor.identity.email if visitor.identity else "",
        "service_token": visitor.service_token_id or "",
    }
