"""`/cdn-cgi/access/...` and well-known paths on the hosts of applications."""

import hmac
from collections.abc import Mapping
from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import URL, Request, Response
from edgeworker.products.access import cookies, jws, pages, replies, tokens
from edgeworker.products.access.authentication import request_facts
from edgeworker.products.access.cli_transfer import CLITransfer
from edgeworker.products.access.config import Application, PublicDestination
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.identity_document import identity_document, service_document
from edgeworker.products.access.issuing import new_cookie_secret, secret_hash
from edgeworker.products.access.jws import InvalidToken
from edgeworker.products.access.logging_out import may_log_out, return_address
from edgeworker.products.access.login_links import PREFIX, browser_origin, is_relative, login_url, query_of
from edgeworker.products.access.managed_oauth import protected_resource, server_metadata
from edgeworker.products.access.policy import policies_of
from edgeworker.products.access.services import AccessServices

_AUTHENTICATION_METHOD: Final = "cloudflared"
_SERVER_METADATA: Final = "/.well-known/oauth-authorization-server"
_CORS: Final = {"Access-Control-Allow-Origin": "*"}


class HostPaths:
    def __init__(self, services: AccessServices) -> None:
        self._services = services
        self._transfer = CLITransfer(services)

    async def answer(self, request: Request, snapshot: Snapshot) -> Response | None:
        """None for a path or a host that does not belong to Access."""
        host = request.url.hostname
        if not snapshot.index.knows_host(host) and not snapshot.index.has_workers:
            return None
        match request.url.path.removeprefix(PREFIX):
            case "certs":
                return await self._services.certs()
            case "get-identity":
                return await self._get_identity(request, snapshot)
            case "logout":
                return await self._log_out(request, snapshot)
            case "authorized":
                return await self._finish_login(request, snapshot)
            case "eager":
                return await self._continue_eager_redirect(request, snapshot)
            case "refresh-identity":
                return replies.redirect(f"{snapshot.organization.issuer}{PREFIX}refresh-identity{request.url.query}")
            case "login":
                return await self._log_in(request, snapshot)
            case "cli":
                return await self._transfer_login(request, snapshot)
            case _:
                return None

    async def _get_identity(self, request: Request, snapshot: Snapshot) -> Response:
        services = self._services
        for text in services.team_tokens(request):
            found = await services.token_session(text, snapshot)
            if found is not None:
                _, session, client_id = found
                if session is None:
                    return replies.json_reply(service_document(client_id, account_id=services.account_id))
                return replies.json_reply(identity_document(session.identity, account_id=services.account_id))
        return replies.json_reply({"err": "unable to find identity: no valid token"}, status=401)

    async def _log_out(self, request: Request, snapshot: Snapshot) -> Response:
        if not may_log_out(request):
            return replies.json_reply({"error": "log out by going to this address"}, status=403)
        services = self._services
        for text in services.team_tokens(request):
            found = await services.token_session(text, snapshot)
            if found is not None and found[1] is not None:
                await services.sessions.end(found[1].id)
        target = return_address(request, snapshot)
        if target is None:
            response = pages.message_page(
                "You are logged out",
                "Every application of this login asks for a new one.",
                team=snapshot.organization.name,
                link=("/", "Log in again"),
            )
        else:
            response = replies.redirect(target)
        secure, host = request.url.scheme == "https", request.url.hostname
        paths = {"/"}
        for application in snapshot.index.applications:
            for place in application.destinations:
                if application.path_cookie and isinstance(place, PublicDestination):
                    paths.add(cookies.cookie_path(application, host, place.path.partition("*")[0] or "/"))
        for path in sorted(paths):
            for field in cookies.removals((cookies.AUTHORIZATION, cookies.BINDING), secure=secure, path=path):
                response.headers.append("Set-Cookie", field)
        return response

    async def _finish_login(self, request: Request, snapshot: Snapshot) -> Response:
        """The end of a login: turns a single-use nonce into the application's cookie."""
        services, url = self._services, request.url
        query = query_of(url) or {}
        document = await services.documents.take("nonce", secret_hash(query.get("nonce", "")))
        if document is None:
            return self._refuse_stale_login(snapshot)
        value = document.value
        application = snapshot.application(_read_text(value, "app"))
        shown = [secret_hash(item) for item in cookies.values_of(request.credentials.cookie, cookies.APP_SESSION)]
        expected = _read_text(value, "app_session")
        # Only the browser that asked for the login may finish it: otherwise login CSRF would be possible.
        if not expected or not any(hmac.compare_digest(item, expected) for item in shown):
            return self._refuse_stale_login(snapshot)
        session = await services.sessions.find(_read_text(value, "session"), snapshot)
        if application is None or session is None or _read_text(value, "host") != url.hostname:
            return self._refuse_stale_login(snapshot)
        policy = next((item for item in policies_of(application) if item.id == _read_text(value, "policy")), None)
        if policy is None:
            return self._refuse_stale_login(snapshot)
        binding = new_cookie_secret() if application.enable_binding_cookie else ""
        token, seconds = await services.issuer.identity_token(session, application, policy, binding=binding)
        response = replies.redirect(await self._choose_next_address(value, application, request))
        secure = url.scheme == "https"
        at = _read_text(value, "redirect")
        cookie = cookies.authorization(application, token, secure=secure, seconds=seconds, host=url.hostname, at=at)
        response.headers.append("Set-Cookie", cookie)
        if binding:
            field = cookies.make(cookies.BINDING, binding, secure=secure, seconds=seconds)
            response.headers.append("Set-Cookie", field)
        return response

    def _refuse_stale_login(self, snapshot: Snapshot) -> Response:
        return pages.message_page(
            "This login cannot be finished",
            "It was finished already, took too long, or was begun in another browser.",
            team=snapshot.organization.name,
            status=403,
            link=("/", "Begin again"),
        )

    async def _choose_next_address(self, value: Mapping[str, JSON], application: Application, request: Request) -> str:
        """Where to go: to the next host of the application that wants its cookie, or where the login was begun."""
        url, origin = request.url, browser_origin(request)
        final = _read_text(value, "final") or origin + _read_text(value, "redirect")
        chain = [item for item in _read_list(value, "chain") if isinstance(item, str)]
        if not chain:
            return final
        below = ".localhost" if origin != url.origin else ""
        snapshot = await self._services.directory.signing()
        now = self._services.clock.now()
        claims: dict[str, JSON] = {
            "type": "state",
            "aud": application.aud,
            "iss": snapshot.organization.issuer,
            "iat": now,
            "exp": now + tokens.META_SECONDS,
            "hostname": chain[0],
            "chain": [*chain[1:]],
            "final": final,
        }
        port = url.host.removeprefix(url.hostname)
        state = tokens.sign(claims, snapshot.keys.current)
        return f"{url.scheme}://{chain[0]}{below}{port}{PREFIX}eager?state={state}"

    async def _continue_eager_redirect(self, request: Request, snapshot: Snapshot) -> Response:
        """One of the application's other hosts: asks for a login of its own, which needs no page by now."""
        issuer = snapshot.organization.issuer
        query = query_of(request.url) or {}
        try:
            token, _ = tokens.read(
                query.get("state", ""), snapshot.keys, issuer=issuer, type="state", now=self._services.clock.now()
            )
        except InvalidToken:
            return self._refuse_stale_login(snapshot)
        claims = token.claims
        application = snapshot.index.by_aud(next(iter(jws.audiences(claims)), ""))
        if application is None or claims.get("hostname") != request.url.hostname:
            return self._refuse_stale_login(snapshot)
        chain = tuple(item for item in _read_list(claims, "chain") if isinstance(item, str))
        return await self._ask_for_login(
            request, snapshot, application, "/", chain=chain, final=_read_text(claims, "final")
        )

    async def _log_in(self, request: Request, snapshot: Snapshot) -> Response | None:
        query = query_of(request.url) or {}
        redirect = query.get("redirect_url", "/")
        if not is_relative(redirect):
            redirect = "/"
        match = snapshot.index.match(request.url.hostname, redirect.partition("?")[0])
        if match is None:
            return None
        return await self._ask_for_login(request, snapshot, match.application, redirect)

    async def _transfer_login(self, request: Request, snapshot: Snapshot) -> Response:
        """A login for cloudflared."""
        host = request.url.hostname
        application = snapshot.index.by_aud((query_of(request.url) or {}).get("aud", ""))
        if application is None or application not in snapshot.index.at_host(host):
            text = "No application of this host has the AUD tag of this address."
            title = "Unable to find your Access application!"
            return pages.message_page(title, text, team=snapshot.organization.name, status=404)
        session = await self._services.authenticator.app_session(request, application, snapshot)
        if session is None or session.is_service:
            return await self._ask_for_login(request, snapshot, application, f"{PREFIX}cli{request.url.query}")
        return await self._transfer.answer(request, application, session, snapshot)

    async def _ask_for_login(
        self,
        request: Request,
        snapshot: Snapshot,
        application: Application,
        redirect: str,
        *,
        chain: tuple[str, ...] = (),
        final: str = "",
    ) -> Response:
        known = cookies.value_of(request.credentials.cookie, cookies.APP_SESSION)
        app_session = known if 20 <= len(known) <= 100 else new_cookie_secret()
        country, _, _ = request_facts(request)
        meta = await self._services.issuer.meta_token(
            application,
            request,
            service_token=False,
            country=country,
            app_session=app_session,
            chain=chain,
            final=final,
        )
        issuer, host = snapshot.organization.issuer, request.url.hostname
        target = login_url(issuer, host=host, aud=application.aud, redirect=redirect, meta=meta)
        return replies.to_login(target, request, app_session)

    def well_known(self, request: Request, snapshot: Snapshot) -> Response | None:
        """Metadata about how to log in, for those who have no session yet."""
        url = request.url
        if url.path.startswith(replies.PROTECTED_RESOURCE):
            path = url.path.removeprefix(replies.PROTECTED_RESOURCE) or "/"
            match = snapshot.index.match(url.hostname, path)
            return None if match is None else replies.json_reply(self._describe_protected_resource(url, path, snapshot))
        if url.path.startswith(replies.OAUTH_RESOURCE):
            path = url.path.removeprefix(replies.OAUTH_RESOURCE) or "/"
            match = snapshot.index.match(url.hostname, path)
            if match is not None and match.application.oauth is not None:
                return replies.json_reply(protected_resource(url, "" if path == "/" else path), headers=_CORS)
        if url.path == _SERVER_METADATA:
            found = next((app for app in snapshot.index.at_host(url.hostname) if app.oauth is not None), None)
            if found is not None:
                return replies.json_reply(server_metadata(url, found, snapshot), headers=_CORS)
        return None

    def _describe_protected_resource(self, url: URL, path: str, snapshot: Snapshot) -> dict[str, JSON]:
        issuer = snapshot.organization.issuer
        return {
            "resource": f"{url.origin}{path}",
            "protected": True,
            "team_domain": issuer,
            "authorization_servers": [issuer],
            "authentication_methods": [
                {"name": _AUTHENTICATION_METHOD, "command": f"edgeworker access login EMAIL --app {url.hostname}"}
            ],
        }


def _read_text(value: Mapping[str, JSON], name: str) -> str:
    item = value.get(name)
    return item if isinstance(item, str) else ""


def _read_list(value: Mapping[str, JSON], name: str) -> list[JSON]:
    item = value.get(name)
    return item if isinstance(item, list) else []
