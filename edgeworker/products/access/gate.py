"""Access in front of a zone's handler: decides on each request, and carries the decision out."""

from dataclasses import replace
from typing import Final

from edgeworker.handler import Handler
from edgeworker.messages import Request, Response
from edgeworker.products.access import answers, cookies, replies
from edgeworker.products.access.answers import AnswerPreflight, PassPreflight, RedirectTo, RedirectToLogin, Refuse
from edgeworker.products.access.authentication import AppSession, ServiceCheck, bearer, request_facts
from edgeworker.products.access.config import Application, Policy, ServiceToken
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.explain import explain
from edgeworker.products.access.forwarding import forward, remove_own_fields
from edgeworker.products.access.host_paths import HostPaths
from edgeworker.products.access.issuing import new_cookie_secret
from edgeworker.products.access.login_links import PREFIX, login_url, redirect_of
from edgeworker.products.access.matching import Match
from edgeworker.products.access.policy import (
    Bypassed,
    IdentityAllowed,
    LoginNeeded,
    PolicyDenied,
    ServiceAllowed,
    ServiceAuthNeeded,
    Visitor,
    decide_identity,
    decide_without_login,
    has_login,
    policies_of,
)
from edgeworker.products.access.services import AccessServices
from edgeworker.routing import alternative_paths
from edgeworker.routing.resolver import RunWorker

OAUTH_TOKEN_PREFIX: Final = "oauth:"
_EDGE_PATHS: Final = "/cdn-cgi/"
_WELL_KNOWN: Final = "/.well-known/"


class Gate:
    """A Handler in front of `then`."""

    def __init__(self, services: AccessServices, then: Handler) -> None:
        self._services = services
        self._then = then
        self._paths = HostPaths(services)

    async def fetch(self, request: Request, /) -> Response:
        services = self._services
        snapshot = services.directory.peek() or await services.directory.load()
        url = request.url
        path = url.path
        if path.startswith(_EDGE_PATHS):
            answer = await self._paths.answer(request, snapshot) if path.startswith(PREFIX) else None
            return await self._then.fetch(request) if answer is None else answer
        match = self._match(request, snapshot)
        if match is None or path.startswith(_WELL_KNOWN) or "%" in path or ";" in path or "//" in path:
            special = self._answer_before_policies(request, match, snapshot)
            if special is not None:
                return special
            if match is None:
                return await self._pass(request)
        application = match.application
        credentials = request.credentials
        if (
            application.id in snapshot.decided_by_session
            and credentials.client_id is None
            and credentials.client_secret is None
        ):
            token = credentials.access_token or credentials.access_cookie
            if token is not None:
                entry = services.authenticator.remembered(token, application.aud, snapshot)
                if entry is not None and entry.nonce:
                    return await forward(
                        self._then,
                        request,
                        application,
                        token=token,
                        email=entry.email,
                        nonce=entry.nonce,
                        load_identity=services.load_identity,
                    )
        return await self._decide(request, match, snapshot)

    def _match(self, request: Request, snapshot: Snapshot) -> Match | None:
        url = request.url
        match = snapshot.index.match(url.hostname, url.path)
        if match is None and snapshot.index.has_workers:
            resolution = self._services.resolver.resolve(url)
            if isinstance(resolution, RunWorker):
                return snapshot.index.match_worker(self._services.worker_ids(resolution.worker))
        return match

    def _answer_before_policies(self, request: Request, match: Match | None, snapshot: Snapshot) -> Response | None:
        """What is answered before any policy: paths that an origin could take for a protected one, well-known paths,
        and hosts without an application where the organization wants one."""
        url = request.url
        for reading in alternative_paths(url.path):
            other = snapshot.index.match(url.hostname, reading)
            if (other and other.application) is not (match and match.application) or reading.startswith(_EDGE_PATHS):
                return replies.ambiguous_path(snapshot, url.hostname)
        if url.path.startswith(_WELL_KNOWN):
            return self._paths.well_known(request, snapshot)
        organization = snapshot.organization
        if match is None and organization.deny_unmatched:
            exempted = organization.deny_unmatched_exempted
            if not any(url.hostname == name or url.hostname.endswith(f".{name}") for name in exempted):
                return replies.refuse(Refuse(403, "unmatched"), request, snapshot, None)
        return None

    async def _pass(self, request: Request) -> Response:
        response = await self._then.fetch(request)
        remove_own_fields(response)
        return response

    async def _forward(
        self, request: Request, application: Application, session: AppSession, without: frozenset[bytes] = frozenset()
    ) -> Response:
        entry = session.entry
        return await forward(
            self._then,
            request,
            application,
            token=session.token,
            email=entry.email if entry.nonce else "",
            nonce=entry.nonce,
            load_identity=self._services.load_identity,
            without=without,
        )

    async def _decide(self, request: Request, match: Match, snapshot: Snapshot) -> Response:
        services, application = self._services, match.application
        kind = answers.classify_request(request.method, request.headers)
        if match.by_worker and kind.is_websocket:
            return replies.refuse(Refuse(403, "websocket_denied", names_app=True), request, snapshot, match)
        if request.credentials.access_metadata_request and request.method == "HEAD":
            token = await services.issuer.match_token(application, hostname=request.url.hostname, uri=match.uri)
            return replies.metadata(token)
        check = services.authenticator.service_token(request, application, snapshot)
        if check is not None and snapshot.organization.strict_service_tokens:
            return await self._decide_strictly(request, match, snapshot, check)
        service_token = None if check is None else check.token
        session = await services.authenticator.app_session(request, application, snapshot)
        visitor = await services.authenticator.visitor(
            request, application, snapshot, service_token=service_token, session=session
        )
        early = decide_without_login(application, visitor, snapshot.context)
        if isinstance(early, Bypassed):
            return await self._pass(request)
        if isinstance(early, ServiceAllowed):
            return await self._forward_service(
                request, application, snapshot, early.policy, visitor, service_token, session
            )
        if application.oauth is not None and bearer(request).startswith(OAUTH_TOKEN_PREFIX):
            return await self._decide_oauth_token(request, match, snapshot, visitor)
        if session is not None and visitor.identity is not None:
            decided = self._recheck(application, visitor, snapshot)
            if isinstance(decided, PolicyDenied):
                email = visitor.identity.email
                return await self._refuse(decided, request, match, snapshot, visitor, email=email)
            return await self._forward(request, application, session)
        needed = LoginNeeded() if has_login(application) else ServiceAuthNeeded()
        return await self._refuse(needed, request, match, snapshot, visitor)

    def _recheck(
        self, application: Application, visitor: Visitor, snapshot: Snapshot
    ) -> IdentityAllowed | PolicyDenied | None:
        """Decide again what depends on the request and not on the login; None if nothing does."""
        if not has_login(application):
            return PolicyDenied(None)
        if application.id not in snapshot.rechecked:
            return None
        return decide_identity(application, visitor, snapshot.context)

    async def _decide_strictly(
        self, request: Request, match: Match, snapshot: Snapshot, check: ServiceCheck
    ) -> Response:
        """Service tokens in strict mode: never a login, no cookie read or set."""
        if check.token is None:
            refusal = answers.strict_refusal(authenticated=False, malformed=check.is_malformed)
            return replies.refuse(refusal, request, snapshot, match)
        application = match.application
        visitor = await self._services.authenticator.visitor(
            request, application, snapshot, service_token=check.token, session=None
        )
        match decide_without_login(application, visitor, snapshot.context):
            case Bypassed():
                return await self._pass(request)
            case ServiceAllowed(policy):
                return await self._forward_service(request, application, snapshot, policy, visitor, check.token, None)
            case None:
                self._services.log_denied_service(check.token, application)
                return replies.refuse(answers.strict_refusal(authenticated=True), request, snapshot, match)

    async def _forward_service(
        self,
        request: Request,
        application: Application,
        snapshot: Snapshot,
        policy: Policy,
        visitor: Visitor,
        service_token: ServiceToken | None,
        session: AppSession | None,
    ) -> Response:
        """Forward a request that a Service Auth policy allows."""
        services = self._services
        without = replies.credential_fields(request, application)
        if visitor.linked_app_ids:
            linked = await services.authenticator.linked_session(request, application, snapshot)
            if linked is not None:
                token = await services.issuer.linked_token(linked, application, policy)
                made = await services.authenticator.verified(token, request, application, snapshot)
                if made is not None:
                    return await self._forward(request, application, made, without)
        if session is not None and service_token is None:
            return await self._forward(request, application, session, without)
        token, seconds = await services.issuer.service_token(service_token, application, policy)
        response = await forward(
            self._then,
            request,
            application,
            token=token,
            email="",
            nonce="",
            load_identity=services.load_identity,
            without=without,
        )
        if service_token is not None and not snapshot.organization.strict_service_tokens:
            url = request.url
            cookie = cookies.authorization(
                application, token, secure=url.scheme == "https", seconds=seconds, host=url.hostname, at=url.path
            )
            response.headers.append("Set-Cookie", cookie)
        return response

    async def _decide_oauth_token(
        self, request: Request, match: Match, snapshot: Snapshot, visitor: Visitor
    ) -> Response:
        """`Authorization: Bearer oauth:...`, an access token that this edge gave to a client."""
        services, application = self._services, match.application
        found = await services.opaque.find("oauth_access", bearer(request), snapshot)
        policy = None
        if found is not None and found.application_id == application.id:
            known = found.value.get("policy")
            policy = next((item for item in policies_of(application) if item.id == known), None)
        if found is None or policy is None:
            refusal = Refuse(401, "oauth_required", as_json=True, challenge="oauth")
            return replies.refuse(refusal, request, snapshot, match, error="invalid_token")
        visitor = replace(visitor, identity=found.session.identity)
        decided = self._recheck(application, visitor, snapshot)
        if isinstance(decided, PolicyDenied):
            return await self._refuse(decided, request, match, snapshot, visitor, email=found.session.identity.email)
        token = await services.issuer.linked_token(found.session, application, policy)
        made = await services.authenticator.verified(token, request, application, snapshot)
        if made is None:  # revoked in this very moment
            refusal = Refuse(401, "oauth_required", as_json=True, challenge="oauth")
            return replies.refuse(refusal, request, snapshot, match, error="invalid_token")
        return await self._forward(request, application, made, frozenset({b"authorization"}))

    async def _refuse(
        self,
        decision: LoginNeeded | ServiceAuthNeeded | PolicyDenied,
        request: Request,
        match: Match,
        snapshot: Snapshot,
        visitor: Visitor,
        *,
        email: str = "",
    ) -> Response:
        application = match.application
        kind = answers.classify_request(request.method, request.headers)
        match answers.choose_answer(decision, kind, application):
            case RedirectToLogin():
                return await self._redirect_to_login(request, application, snapshot, visitor)
            case RedirectTo(url):
                return replies.redirect(url)
            case AnswerPreflight():
                return replies.preflight(request, application)
            case PassPreflight():
                return await self._pass(request)
            case Refuse() as refusal:
                explained = explain(match, visitor, snapshot.context, kind)
                evidence = [line for policy in explained.policies for line in policy.evidence()]
                return replies.refuse(refusal, request, snapshot, match, email=email, evidence=evidence)

    async def _redirect_to_login(
        self, request: Request, application: Application, snapshot: Snapshot, visitor: Visitor
    ) -> Response:
        url = request.url
        # An existing one is used again: several tabs may log in at once.
        known = cookies.value_of(request.credentials.cookie, cookies.APP_SESSION)
        app_session = known if 20 <= len(known) <= 100 else new_cookie_secret()
        country, _, _ = request_facts(request)
        meta = await self._services.issuer.meta_token(
            application,
            request,
            service_token=visitor.service_token_id is not None,
            country=country,
            app_session=app_session,
        )
        issuer = snapshot.organization.issuer
        target = login_url(issuer, host=url.hostname, aud=application.aud, redirect=redirect_of(url), meta=meta)
        return replies.to_login(target, request, app_session)
