"""Logins at identity providers elsewhere: which one, how often, and what comes back to the callback."""

from typing import Final

from edgeworker.messages import Request, Response
from edgeworker.products.access import pages
from edgeworker.products.access.client_limit import ClientLimit
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.login import LoginFlow
from edgeworker.products.access.login_links import query_of
from edgeworker.products.access.oidc_login import OIDCLogin
from edgeworker.products.access.saml_login import SAMLLogin
from edgeworker.products.access.services import AccessServices

# Each login that is begun is a document until it ends.
_MOST_BEGUN: Final = 100
_BEGUN_SECONDS: Final = 600


class ExternalLogin:
    def __init__(self, services: AccessServices, flow: LoginFlow) -> None:
        self._services = services
        self._flow = flow
        self._oidc = OIDCLogin(services, flow)
        self._saml = SAMLLogin(services, flow)
        self._limit = ClientLimit(_MOST_BEGUN, _BEGUN_SECONDS)

    async def begin(self, request: Request, rest: str, snapshot: Snapshot) -> Response:
        """GET /cdn-cgi/access/idp/<provider>/<host>: to the provider."""
        provider_id, _, host = rest.partition("/")
        login = await self._flow.read(request, host, snapshot)
        if isinstance(login, Response):
            return login
        offered = snapshot.providers_for(login.application)
        provider = next((item for item in offered if item.id == provider_id), None)
        team = snapshot.organization.name
        if not self._limit.allows(request.client.ip, self._services.clock.now()):
            return pages.message_page("Too many logins", "Wait some minutes.", team=team, status=429)
        if provider is not None and provider.oidc is not None:
            response = await self._oidc.begin(login, provider, provider.oidc, snapshot)
        elif provider is not None and provider.saml is not None:
            response = await self._saml.begin(login, provider, provider.saml, snapshot)
        else:
            text = "This application does not log in with it."
            return pages.message_page("Unknown identity provider", text, team=team, status=404)
        return self._flow.with_browser(response, login)

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
