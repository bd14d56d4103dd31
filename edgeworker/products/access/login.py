"""The login at the team domain: which application asks for it, with which identity, and where it ends.

Nothing is stored before someone has logged in. The login's own URL carries all of it from page to page and is read
again at each step; a form is bound to its browser by CF_Session.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qs, quote, unquote

from edgeworker.config import JSON
from edgeworker.messages import URL, BodyTooLarge, Request, Response
from edgeworker.products.access import cookies, jws, pages, replies, tokens
from edgeworker.products.access.authentication import request_facts
from edgeworker.products.access.config import Application, IdentityProvider, Policy, PublicDestination
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.issuing import new_cookie_secret, secret_hash
from edgeworker.products.access.jws import InvalidToken
from edgeworker.products.access.login_links import PREFIX, LoginRequest, authorized_url, is_relative, query_of
from edgeworker.products.access.pages import LoginForm
from edgeworker.products.access.policy import Identity, IdentityAllowed, PolicyDenied, Visitor, decide_identity
from edgeworker.products.access.services import AccessServices
from edgeworker.products.access.sessions import Session, is_email, new_nonce

_NONCE_SECONDS: Final = 120
_MAX_FORM_BYTES: Final = 16_384
_MAX_CHAIN: Final = 5
REFRESHED: Final = f"{PREFIX}refresh-identity?success=true&on_success=callback"
# Where a login of an OAuth client or of an application elsewhere goes on: at the team domain itself.
_TEAM_RETURNS: Final = (f"{PREFIX}sso/", f"{PREFIX}oauth/", f"{PREFIX}refresh-identity", f"{PREFIX}launcher")


@dataclass(frozen=True, slots=True)
class Login:
    """A login request that was checked: for this application, in this browser."""

    request: LoginRequest
    application: Application
    csrf: str
    browser: str  # the value of CF_Session
    is_new_browser: bool
    is_secure: bool


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What a browser was sent to a provider for: a login (`host` and `query` of its address), or, with `session_id`, to
    learn anew what the provider says of who is logged in. `browser` is the value of CF_Session."""

    host: str
    query: str
    browser: str
    session_id: str = ""

    def document(self, provider: IdentityProvider) -> dict[str, JSON]:
        return {
            "provider": provider.id,
            "host": self.host,
            "query": self.query,
            "browser": secret_hash(self.browser),
            "session": self.session_id,
        }


class LoginFlow:
    def __init__(self, services: AccessServices) -> None:
        self._services = services

    async def read(self, request: Request, host: str, snapshot: Snapshot) -> Login | Response:
        """The login that a URL asks for, or the page that says why there is none."""
        query = query_of(request.url)
        team = snapshot.organization.name
        if query is None:
            return pages.message_page("Invalid login", "A parameter comes twice.", team=team, status=400)
        application = snapshot.index.by_aud(query.get("kid", ""))
        if application is None:
            text = "Unable to find your Access application!"
            return pages.message_page(text, "No application has the AUD tag of this address.", team=team, status=404)
        meta: Mapping[str, JSON] = {}
        if text := query.get("meta", ""):
            try:
                token, _ = tokens.read(
                    text,
                    snapshot.keys,
                    issuer=snapshot.organization.issuer,
                    type="meta",
                    now=self._services.clock.now(),
                )
            except InvalidToken:
                text = "The login took too long, or its address was changed. Open the application again."
                return pages.message_page("Invalid login", text, team=team, status=400)
            meta = token.claims
        host = unquote(host).lower()
        redirect = query.get("redirect_url", "/")
        login = LoginRequest(host, application.aud, redirect, request.url.query.removeprefix("?"), meta)
        if not self._is_consistent(login, application, snapshot):
            text = "It has to be a path of the application, such as /admin."
            return pages.message_page("Invalid redirect URL", text, team=team, status=400)
        known = cookies.value_of(request.credentials.cookie, cookies.SESSION)
        is_known = 20 <= len(known) <= 100
        browser = known if is_known else new_cookie_secret()
        csrf = hashlib.sha256(f"form\0{browser}".encode("utf-8", "surrogateescape")).hexdigest()
        return Login(login, application, csrf, browser, not is_known, request.url.scheme == "https")

    def _is_consistent(self, login: LoginRequest, application: Application, snapshot: Snapshot) -> bool:
        if not is_relative(login.redirect):
            return False
        if login.meta and (jws.audiences(login.meta) != (application.aud,) or login.meta.get("hostname") != login.host):
            return False
        if login.host in self._services.config.team_hosts:
            return login.redirect.startswith(_TEAM_RETURNS)
        if application.type == "saas":
            return False
        if login.meta:
            return True  # the edge itself signed that this host is the application's
        match = snapshot.index.match(login.host, login.redirect.partition("?")[0])
        return match is not None and match.application is application

    async def start(self, request: Request, host: str, snapshot: Snapshot) -> Response:
        """GET /cdn-cgi/access/login/<host>: on at once with a session, else the page (or the one provider)."""
        login = await self.read(request, host, snapshot)
        if isinstance(login, Response):
            return login
        services, application = self._services, login.application
        session = await services.session_for(request, application, snapshot)
        if session is not None:
            decided = self._decide(session.identity, request, application, snapshot)
            if isinstance(decided, IdentityAllowed):
                here = replace(session.identity, ip=request.client.ip)
                await services.record_login(here, application, _read_ray(request), allowed=True)
                return await self._finish(login, session, decided.policy, snapshot, sso=True)
            return self._build_denied_page(
                request, snapshot, login, session.identity.email, retry_url=f"{PREFIX}logout"
            )
        offered = snapshot.providers_for(application)
        straight = application.auto_redirect_to_identity or snapshot.organization.auto_redirect_to_identity
        if straight and len(offered) == 1 and (offered[0].oidc or offered[0].saml):
            target = f"{PREFIX}idp/{offered[0].id}/{login.request.host}?{login.request.query}"
            return self.with_browser(replies.redirect(target), login)
        return self.page(login, snapshot)

    def form(self, login: Login) -> LoginForm:
        return LoginForm(login.request.host, login.application.name, login.request.query, login.csrf)

    def page(self, login: Login, snapshot: Snapshot, *, alert: str = "", typed: str = "") -> Response:
        response = pages.login_page(
            self.form(login),
            snapshot.identities,
            snapshot.providers_for(login.application),
            team=snapshot.organization.name,
            alert=alert,
            typed=typed,
            status=400 if alert else 200,
        )
        return self.with_browser(response, login)

    def with_browser(self, response: Response, login: Login) -> Response:
        if login.is_new_browser:
            response.headers.append("Set-Cookie", browser_cookie(login.browser, is_secure=login.is_secure))
        return response

    async def end_round_trip(
        self, request: Request, value: Mapping[str, JSON], identity: Identity, snapshot: Snapshot
    ) -> Response:
        """A provider said who is there. `value` is the round trip's document."""
        if session_id := jws.text(value, "session"):
            return await self._refresh(request, session_id, identity, snapshot)
        login = await self._read_again(request, value, snapshot)
        return login if isinstance(login, Response) else await self.complete(request, login, identity, snapshot)

    async def fail_round_trip(
        self, request: Request, value: Mapping[str, JSON], reason: str, snapshot: Snapshot
    ) -> Response:
        """A provider gave no identity; another way to log in is offered."""
        if jws.text(value, "session"):
            text = f"The provider gave no identity: {reason}."
            return pages.message_page("Identity not refreshed", text, team=snapshot.organization.name, status=403)
        login = await self._read_again(request, value, snapshot)
        alert = f"The login failed: {reason}."
        return login if isinstance(login, Response) else self.page(login, snapshot, alert=alert)

    async def _read_again(self, request: Request, value: Mapping[str, JSON], snapshot: Snapshot) -> Login | Response:
        """Read the login that a round trip was for, with the current snapshot."""
        url = request.url
        again = request.replace(url=URL(url.scheme, url.hostname, url.port, url.path, f"?{jws.text(value, 'query')}"))
        return await self.read(again, jws.text(value, "host"), snapshot)

    async def _refresh(self, request: Request, session_id: str, identity: Identity, snapshot: Snapshot) -> Response:
        services, team = self._services, snapshot.organization.name
        session = await services.organization_session(request, snapshot)
        if session is None or session.id != session_id:
            text = "You were logged out meanwhile. Open the application again."
            return pages.message_page("Identity not refreshed", text, team=team, status=403)
        known = session.identity
        if (identity.email, identity.provider_id) != (known.email, known.provider_id):
            text = f"You are logged in as {known.email}, and the provider says {identity.email}. Log out first."
            return pages.message_page("Identity not refreshed", text, team=team, status=403)
        await services.sessions.refresh(session, identity, services.clock.now())
        return replies.redirect(REFRESHED, status=303)

    async def local(self, request: Request, host: str, snapshot: Snapshot) -> Response:
        """POST /cdn-cgi/access/local/<host>: someone was picked or typed."""
        login = await self.read(request, host, snapshot)
        if isinstance(login, Response):
            return login
        provider = next((item for item in snapshot.providers_for(login.application) if item.type == "local"), None)
        form = await read_form(request)
        if provider is None or form is None or not self.is_own_form(login, form):
            return self._refuse_form(snapshot)
        email = form.get("email", "").strip().lower()
        if not is_email(email):
            return self.page(login, snapshot, alert="Write an e-mail address, such as ada@example.com.", typed=email)
        groups = tuple(name.strip() for name in form.get("groups", "").split(",") if name.strip())
        identity = local_identity(email, provider, snapshot, groups=groups)
        return await self.complete(request, login, identity, snapshot)

    def is_own_form(self, login: Login, form: Mapping[str, str]) -> bool:
        """Whether the form was given to this browser."""
        return not login.is_new_browser and hmac.compare_digest(form.get("csrf", "").encode(), login.csrf.encode())

    def _refuse_form(self, snapshot: Snapshot) -> Response:
        text = "The page was open for too long, or cookies are blocked. Open the application again."
        return pages.message_page("This form cannot be used", text, team=snapshot.organization.name, status=403)

    async def complete(self, request: Request, login: Login, identity: Identity, snapshot: Snapshot) -> Response:
        """Someone proved who they are: asks the policies, begins the global session, and goes back."""
        services, application = self._services, login.application
        population = application.user_population
        country, _, _ = request_facts(request)
        uuid = await services.sessions.user_uuid(identity.email, population)
        identity = replace(
            identity,
            user_uuid=uuid,
            country=identity.country or country,
            ip=request.client.ip,
            logged_in_at=services.clock.now(),
        )
        decided = self._decide(identity, request, application, snapshot)
        if not isinstance(decided, IdentityAllowed):
            await services.record_login(identity, application, _read_ray(request), allowed=False)
            again = f"{PREFIX}login/{quote(login.request.host, safe='')}?{login.request.query}"
            return self._build_denied_page(request, snapshot, login, identity.email, retry_url=again)
        session = await services.sessions.begin(identity, snapshot, population)
        await services.record_login(identity, application, _read_ray(request), allowed=True)
        response = await self._finish(login, session, decided.policy, snapshot, sso=False)
        await self.set_organization_cookie(response, session, login.is_secure)
        return response

    async def set_organization_cookie(self, response: Response, session: Session, is_secure: bool) -> None:
        token, seconds = await self._services.issuer.organization_token(session)
        cookie = cookies.make(cookies.AUTHORIZATION, token, secure=is_secure, seconds=seconds)
        response.headers.append("Set-Cookie", cookie)

    def _decide(
        self, identity: Identity, request: Request, application: Application, snapshot: Snapshot
    ) -> IdentityAllowed | PolicyDenied:
        country, presented, common_name = request_facts(request)
        visitor = Visitor(request.client.ip, country, presented, common_name, identity=identity)
        return decide_identity(application, visitor, snapshot.context)

    def allows(
        self, identity: Identity, request: Request, application: Application, snapshot: Snapshot
    ) -> Policy | None:
        """The policy that lets an identity in, for flows that do not end at an application's host."""
        decided = self._decide(identity, request, application, snapshot)
        return decided.policy if isinstance(decided, IdentityAllowed) else None

    def _build_denied_page(
        self, request: Request, snapshot: Snapshot, login: Login, email: str, *, retry_url: str
    ) -> Response:
        response = pages.refusal_page(
            "policy_denied",
            status=403,
            team=snapshot.organization.name,
            host=login.request.host,
            ray=_read_ray(request),
            email=email,
            message=login.application.custom_deny_message,
            retry_url=retry_url,
        )
        response.headers.set("Cf-Access-Error", "policy_denied")
        if login.application.custom_deny_url:
            response = replies.redirect(login.application.custom_deny_url)
        return response

    async def _finish(
        self, login: Login, session: Session, policy: Policy, snapshot: Snapshot, *, sso: bool
    ) -> Response:
        """Back to the application's host with a nonce that counts once, in the browser that asked."""
        asked = login.request
        if asked.host in self._services.config.team_hosts:
            return replies.redirect(snapshot.organization.issuer + asked.redirect, status=303)
        origin = asked.origin or self._build_origin(asked.host, snapshot)
        nonce = new_nonce(32)
        now = self._services.clock.now()
        value: dict[str, JSON] = {
            "app": login.application.id,
            "session": session.id,
            "policy": policy.id,
            "host": asked.host,
            "redirect": asked.redirect,
            "app_session": asked.app_session_hash,
            "final": jws.text(asked.meta, "final"),
            "chain": self._list_eager_hosts(login),
        }
        await self._services.documents.put("nonce", secret_hash(nonce), value, expires_at=now + _NONCE_SECONDS)
        target = authorized_url(origin, nonce=nonce, host=asked.host, redirect=asked.redirect, is_sso=sso)
        return replies.redirect(target, status=302 if sso else 303)

    def _list_eager_hosts(self, login: Login) -> list[JSON]:
        """The other hosts of the application whose cookies are set on the way, where that is wanted."""
        meta = login.request.meta
        if "chain" in meta:
            chain = meta["chain"]
            return chain if isinstance(chain, list) else []
        if not login.application.eager_redirect or not meta:
            return []
        hosts: list[JSON] = [
            place.host
            for place in login.application.destinations
            if isinstance(place, PublicDestination) and "*" not in place.host and place.host != login.request.host
        ]
        return [host for index, host in enumerate(hosts) if host not in hosts[:index]][:_MAX_CHAIN]

    def _build_origin(self, host: str, snapshot: Snapshot) -> str:
        """Where a typed login URL goes back to: the host, spoken to as the team domain is."""
        scheme, _, rest = snapshot.organization.issuer.partition("://")
        _, colon, port = rest.partition(":")
        return f"{scheme}://{host}{colon}{port}"


def _read_ray(request: Request) -> str:
    return request.headers.get("cf-ray") or ""


def browser_cookie(value: str, *, is_secure: bool) -> str:
    return cookies.make(cookies.SESSION, value, secure=is_secure, seconds=cookies.SESSION_SECONDS)


def local_identity(
    email: str, provider: IdentityProvider, snapshot: Snapshot, *, groups: tuple[str, ...] = ()
) -> Identity:
    """Someone of edge.toml with what stands there; anyone else with the groups that were typed."""
    known = next((item for item in snapshot.identities if item.email == email), None)
    if known is None:
        return Identity(email, "", provider.id, provider.type, groups=groups)
    named = known.provider_id
    other = next((item for item in snapshot.providers.values() if named and named in (item.id, item.name)), provider)
    return Identity(
        email=email,
        user_uuid="",
        provider_id=other.id,
        provider_type=other.type,
        name=known.name,
        groups=groups or known.groups,
        oidc_fields=known.claims,
        custom=known.claims,
        saml_attributes=known.claims if other.type == "saml" else {},
        amr=known.amr,
        country=known.country,
    )


async def read_form(request: Request, *, limit: int = _MAX_FORM_BYTES) -> dict[str, str] | None:
    """A form's fields; None if it is not a form, is too large, or has a field twice."""
    kind = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded" or request.body is None:
        return None
    try:
        content = await request.body.read(limit=limit)
        fields = parse_qs(content.decode("utf-8"), keep_blank_values=True, max_num_fields=64, errors="strict")
    except (BodyTooLarge, ValueError):
        return None
    if any(len(values) > 1 for values in fields.values()):
        return None
    return {name: values[0] for name, values in fields.items()}
