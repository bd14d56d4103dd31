"""The team domain: `https://<team>.cloudflareaccess.com`, and its name on this machine."""

from typing import Final

from edgeworker.messages import Headers, Request, Response
from edgeworker.products.access import cookies, managed_oauth, pages, replies, saas_oidc
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.external_login import ExternalLogin
from edgeworker.products.access.identity_document import identity_document, service_document
from edgeworker.products.access.logging_out import may_log_out, return_address
from edgeworker.products.access.login import REFRESHED, LoginFlow, local_identity
from edgeworker.products.access.login_links import PREFIX
from edgeworker.products.access.managed_oauth import ManagedOAuth
from edgeworker.products.access.one_time_pin import OneTimePin
from edgeworker.products.access.saas_oidc import SaasProvider
from edgeworker.products.access.services import AccessServices

_CERTS: Final = f"{PREFIX}certs"


class TeamDomain:
    """A Handler for a whole host."""

    def __init__(self, services: AccessServices) -> None:
        self._services = services
        self._flow = LoginFlow(services)
        self._pin = OneTimePin(services, self._flow)
        self._external = ExternalLogin(services, self._flow)
        self._saas = SaasProvider(services, self._flow)
        self._oauth = ManagedOAuth(services, self._flow)

    async def fetch(self, request: Request, /) -> Response:
        services = self._services
        path = request.url.path
        if path == _CERTS:
            if request.method == "OPTIONS":
                fields = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET"}
                return Response(204, Headers(fields))
            return await services.certs()
        snapshot = await services.directory.signing()
        if path in ("/", f"{PREFIX}launcher"):
            return await self._launcher(request, snapshot)
        if not path.startswith(PREFIX):
            return self._missing(snapshot)
        if path.startswith(saas_oidc.ROOT):
            return await self._saas.fetch(request, snapshot) or self._missing(snapshot)
        if path.startswith(managed_oauth.ROOT):
            return await self._oauth.fetch(request, snapshot) or self._missing(snapshot)
        name, _, rest = path.removeprefix(PREFIX).partition("/")
        match request.method, name:
            case "GET" | "HEAD", "login" if rest:
                return await self._flow.start(request, rest, snapshot)
            case "POST", "local" if rest:
                return await self._flow.local(request, rest, snapshot)
            case "POST", "onetimepin" if rest:
                return await self._pin.post(request, rest, snapshot)
            case "GET" | "HEAD", "local" | "onetimepin" if rest:
                # A form's page that was reloaded.
                return replies.redirect(f"{PREFIX}login/{rest}{request.url.query}")
            case "GET", "idp" if rest:
                return await self._external.begin(request, rest, snapshot)
            case "GET" | "POST", "callback":
                return await self._external.finish(request, snapshot)
            case "GET" | "HEAD", "saml-metadata":
                return self._external.metadata("", snapshot) or self._missing(snapshot)
            case "GET" | "HEAD", provider if rest == "saml-metadata":
                return self._external.metadata(provider, snapshot) or self._missing(snapshot)
            case "GET" | "HEAD", "get-identity":
                return await self._get_identity(request, snapshot)
            case "GET" | "POST", "logout":
                return await self._log_out(request, snapshot)
            case "GET", "refresh-identity":
                return await self._refresh_identity(request, snapshot)
            case _:
                return self._missing(snapshot)

    def _missing(self, snapshot: Snapshot) -> Response:
        text = "The team domain has nothing at this address."
        return pages.message_page("Not found", text, team=snapshot.organization.name, status=404)

    async def _launcher(self, request: Request, snapshot: Snapshot) -> Response:
        session = await self._services.organization_session(request, snapshot)
        if session is None:
            text = "You are not logged in. Open one of your applications to log in."
            return pages.message_page("Access", text, team=snapshot.organization.name)
        return pages.message_page(
            "Access",
            f"You are logged in as {session.identity.email}.",
            team=snapshot.organization.name,
            link=(f"{PREFIX}logout", "Log out"),
        )

    async def _get_identity(self, request: Request, snapshot: Snapshot) -> Response:
        """By the cookie of the team domain, or by that of any application."""
        services = self._services
        session = await services.organization_session(request, snapshot)
        client_id = ""
        if session is None:
            for text in services.team_tokens(request):
                found = await services.token_session(text, snapshot)
                if found is not None:
                    _, session, client_id = found
                    break
        if session is not None:
            return replies.json_reply(identity_document(session.identity, account_id=services.account_id))
        if client_id:
            return replies.json_reply(service_document(client_id, account_id=services.account_id))
        return replies.json_reply({"err": "unable to find identity: no valid token"}, status=401)

    async def _log_out(self, request: Request, snapshot: Snapshot) -> Response:
        if not may_log_out(request):
            return replies.json_reply({"error": "log out by going to this address"}, status=403)
        services = self._services
        session = await services.organization_session(request, snapshot)
        if session is not None:
            await services.sessions.end(session.id)
        target = return_address(request, snapshot)
        if target is None:
            response = pages.message_page(
                "You are logged out",
                "Every application of this login asks for a new one.",
                team=snapshot.organization.name,
            )
        else:
            response = replies.redirect(target)
        for field in cookies.removals((cookies.AUTHORIZATION,), secure=request.url.scheme == "https"):
            response.headers.append("Set-Cookie", field)
        return response

    async def _refresh_identity(self, request: Request, snapshot: Snapshot) -> Response:
        """Fetches groups and claims of the logged-in user again, without another login."""
        services = self._services
        if "success=true" in request.url.query:
            text = "Your groups and claims are those of this moment."
            return pages.message_page("Identity refreshed", text, team=snapshot.organization.name)
        session = await services.organization_session(request, snapshot)
        if session is None:
            return replies.json_reply({"err": "unable to find identity: no valid session"}, status=401)
        response = await self._external.refresh(request, session, snapshot)
        if response is not None:
            return response
        provider = snapshot.providers.get(session.identity.provider_id)
        if provider is None:
            return replies.json_reply({"err": "the identity provider of this login is gone"}, status=409)
        fresh = local_identity(session.identity.email, provider, snapshot)
        if any(item.email == session.identity.email for item in snapshot.identities):
            await services.sessions.refresh(session, fresh, services.clock.now())
        return replies.redirect(REFRESHED)
