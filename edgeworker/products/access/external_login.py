"""Logins at identity providers elsewhere: which one, how often, and what comes back to the callback."""

from typing import Final

from edgeworker.messages import Request, Response
from edgeworker.products.access import cookies, pages
from edgeworker.products.access.client_limit import ClientLimit
from edgeworker.products.access.config import IdentityProvider
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.issuing import new_cookie_secret
from edgeworker.products.access.login import LoginFlow, RoundTrip, browser_cookie
from edgeworker.products.access.login_links import query_of
from edgeworker.products.access.oidc_login import OIDCLogin
from edgeworker.products.access.saml_login import SAMLLogin
from edgeworker.products.access.services import AccessServices
from edgeworker.products.access.sessions import Session

# Each login that is begun is a document until it ends.
_MAX_LOGINS: Final = 100
_LIMIT_SECONDS: Final = 600


class ExternalLogin:
    def __init__(self, services: AccessServices, flow: LoginFlow) -> None:
        self._services = services
        self._flow = flow
        self._oidc = OIDCLogin(services, flow)
        self._saml = SAMLLogin(services, flow)
        self._limit = ClientLimit("logins", _MAX_LOGINS, _LIMIT_SECONDS, services.counts)

    async def begin(self, request: Request, rest: str, snapshot: Snapshot) -> Response:
        """GET /cdn-cgi/access/idp/<provider>/<host>: to the provider."""
        provider_id, _, host = rest.partition("/")
        login = await self._flow.read(request, host, snapshot)
        if isinstance(login, Response):
            return login
        offered = snapshot.providers_for(login.application)
        provider = next((item for item in offered if item.id == provider_id), None)
        trip = RoundTrip(login.request.host, login.request.query, login.browser)
        response = await self._redirect_to_provider(request, trip, provider, snapshot)
        if response is None:
            text = "This application does not log in with it."
            return pages.message_page("Unknown identity provider", text, team=snapshot.organization.name, status=404)
        return self._flow.with_browser(response, login)

    async def refresh(self, request: Request, session: Session, snapshot: Snapshot) -> Response | None:
        """Redirect to the provider of a login, to read its identity anew; None for a provider without a redirect."""
        known = cookies.value_of(request.credentials.cookie, cookies.SESSION)
        browser = known if 20 <= len(known) <= 100 else new_cookie_secret()
        provider = snapshot.providers.get(session.identity.provider_id)
        response = await self._redirect_to_provider(request, RoundTrip("", "", browser, session.id), provider, snapshot)
        if response is not None and browser != known:
            cookie = browser_cookie(browser, is_secure=request.url.scheme == "https")
            response.headers.append("Set-Cookie", cookie)
        return response

    async def _redirect_to_provider(
        self, request: Request, trip: RoundTrip, provider: IdentityProvider | None, snapshot: Snapshot
    ) -> Response | None:
        if provider is None or (provider.oidc is None and provider.saml is None):
            return None
        if not self._limit.allows(request.client.ip, self._services.clock.now()):
            team = snapshot.organization.name
            return pages.message_page("Too many logins", "Wait some minutes.", team=team, status=429)
        if provider.oidc is not None:
            return await self._oidc.begin(trip, provider, provider.oidc, snapshot)
        if provider.saml is not None:
            return await self._saml.begin(trip, provider, provider.saml, snapshot)
        return None

    async def finish(self, request: Request, snapshot: Snapshot) -> Response:
        """GET or POST /cdn-cgi/access/callback: back from the provider."""
        if request.method == "POST":
            if not any(provider.saml for provider in snapshot.providers.values()):
                text = "No SAML identity provider is configured."
                return pages.message_page("The login failed", text, team=snapshot.organization.name, status=403)
            return await self._saml.receive(request, snapshot)
        if "saml" in (query_of(request.url) or {}):
            return await self._saml.finish(request, snapshot)
        return await self._oidc.finish(request, snapshot)

    def metadata(self, provider_id: str, snapshot: Snapshot) -> Response | None:
        """GET /cdn-cgi/access/saml-metadata or /cdn-cgi/access/<provider>/saml-metadata; None where there is no such
        SAML provider."""
        provider = snapshot.providers.get(provider_id)
        if provider_id and (provider is None or provider.saml is None):
            return None
        return self._saml.metadata(provider, snapshot)
