"""Managed OAuth: the edge as authorization server of an application, for clients that are not browsers.

Metadata stands on the application's host; the endpoints are at the team domain. Tokens are opaque, refreshed under the
policies, and a person agrees to each client: anyone may register one. Sources: RFC 6749, 7591, 7636, 8414, 8707, 9728.
"""

import json
import re
from typing import Final
from urllib.parse import urlsplit

from edgeworker.config import JSON
from edgeworker.messages import URL, BodyTooLarge, InvalidURL, Request, Response
from edgeworker.products.access import html_page, pages, replies
from edgeworker.products.access.authorization_request import (
    MAX_REDIRECT_URI,
    is_challenge,
    is_same_redirect,
    matches_challenge,
    oauth_error,
    read_client_credentials,
    redirect_back,
)
from edgeworker.products.access.client_limit import ClientLimit
from edgeworker.products.access.config import Application, ManagedOAuthSettings
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.html_page import fill
from edgeworker.products.access.login import Login, LoginFlow, read_form
from edgeworker.products.access.login_links import PREFIX, login_url, query_of
from edgeworker.products.access.opaque_tokens import OpaqueToken
from edgeworker.products.access.services import AccessServices
from edgeworker.products.access.sessions import Session, new_nonce

ROOT: Final = f"{PREFIX}oauth/"
TOKEN_PREFIX: Final = "oauth:"
_CODE_SECONDS: Final = 60
_CLIENT_SECONDS: Final = 90 * 86_400
_MAX_BODY: Final = 16_384
_MAX_URIS: Final = 10
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_FORBIDDEN_SCHEMES: Final = frozenset({"javascript", "data", "vbscript", "file", "about", "blob"})
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")


def protected_resource(url: URL, path: str) -> dict[str, JSON]:
    """RFC 9728, of the application's host."""
    return {
        "resource": f"{url.origin}{path}",
        "authorization_servers": [url.origin],
        "bearer_methods_supported": ["header"],
    }


def server_metadata(url: URL, application: Application, snapshot: Snapshot) -> dict[str, JSON]:
    """RFC 8414, of the application's host."""
    root = f"{snapshot.organization.issuer}{ROOT}"
    document: dict[str, JSON] = {
        "issuer": url.origin,
        "authorization_endpoint": f"{root}authorization",
        "token_endpoint": f"{root}token",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
    }
    if application.oauth is not None and application.oauth.registration_enabled:
        document["registration_endpoint"] = f"{root}registration?aud={application.aud}"
    return document


class ManagedOAuth:
    def __init__(self, services: AccessServices, flow: LoginFlow) -> None:
        self._services = services
        self._flow = flow
        self._limit = ClientLimit("registrations", 50, 600, services.counts)

    async def fetch(self, request: Request, snapshot: Snapshot) -> Response | None:
        """None for a path that is not there."""
        match request.method, request.url.path.removeprefix(ROOT):
            case "POST", "registration":
                return await self._register(request, snapshot)
            case "GET" | "POST", "authorization":
                return await self._authorize(request, snapshot)
            case "POST", "token":
                return await self._answer_token_request(request, snapshot)
            case _:
                return None

    async def _register(self, request: Request, snapshot: Snapshot) -> Response:
        application = snapshot.index.by_aud((query_of(request.url) or {}).get("aud", ""))
        settings = None if application is None else application.oauth
        if application is None or settings is None or not settings.registration_enabled:
            return oauth_error("access_denied", "no application takes registrations here", status=403)
        if not self._limit.allows(request.client.ip, self._services.clock.now()):
            return oauth_error("temporarily_unavailable", "too many registrations; wait some minutes", status=429)
        body = await _read_json(request)
        uris = None if body is None else body.get("redirect_uris")
        if body is None or not isinstance(uris, list) or not 0 < len(uris) <= _MAX_URIS:
            return oauth_error("invalid_client_metadata", "the body has no redirect_uris")
        texts = [uri for uri in uris if isinstance(uri, str) and may_redirect_to(uri, settings)]
        if len(texts) != len(uris):
            return oauth_error("invalid_redirect_uri", "a redirect_uri is not allowed for this application")
        name = body.get("client_name")
        client_id = new_nonce(32)
        value: dict[str, JSON] = {
            "app": application.id,
            "redirect_uris": [*texts],
            "name": name[:100] if isinstance(name, str) else "",
        }
        now = self._services.clock.now()
        await self._services.documents.put("oauth_client", client_id, value, expires_at=now + _CLIENT_SECONDS)
        answer: dict[str, JSON] = {
            "client_id": client_id,
            "client_id_issued_at": now,
            "client_name": value["name"],
            "redirect_uris": [*texts],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        return replies.json_reply(answer, status=201)

    async def _authorize(self, request: Request, snapshot: Snapshot) -> Response:
        query = query_of(request.url)
        team = snapshot.organization.name
        if query is None:
            return pages.message_page("Invalid request", "A parameter comes twice.", team=team, status=400)
        document = await self._services.documents.get("oauth_client", query.get("client_id", "")[:64] or "-")
        application = None if document is None else snapshot.application(str(document.value.get("app")))
        if document is None or application is None or application.oauth is None:
            text = "The client is not known; it has to register first."
            return pages.message_page("Unknown client", text, team=team, status=400)
        registered = document.value.get("redirect_uris")
        redirect_uri = query.get("redirect_uri", "")
        known = [uri for uri in registered if isinstance(uri, str)] if isinstance(registered, list) else []
        if not any(is_same_redirect(redirect_uri, uri) for uri in known):
            text = "The redirect_uri is not one that the client registered."
            return pages.message_page("Invalid redirect URL", text, team=team, status=400)
        base = {"state": query.get("state", "")}
        if query.get("response_type") != "code":
            return redirect_back(redirect_uri, {"error": "unsupported_response_type", **base})
        challenge = query.get("code_challenge", "")
        if query.get("code_challenge_method") != "S256" or not is_challenge(challenge):
            described = "PKCE with S256 is needed"
            return redirect_back(redirect_uri, {"error": "invalid_request", "error_description": described, **base})
        resource = query.get("resource", "")
        if not is_resource(resource, application, snapshot):
            described = "the resource is not of this application"
            return redirect_back(redirect_uri, {"error": "invalid_target", "error_description": described, **base})
        session = await self._services.session_for(request, application, snapshot)
        policy = None
        if session is not None:
            policy = self._flow.allows(session.identity, request, application, snapshot)
        if session is None or policy is None:
            issuer, host = snapshot.organization.issuer, request.url.hostname
            target = login_url(issuer, host=host, aud=application.aud, redirect=request.url.target, meta="")
            return replies.redirect(target)
        return await self._ask_for_consent(
            request, application, session, policy.id, redirect_uri, challenge, str(document.value.get("name")), snapshot
        )

    async def _ask_for_consent(
        self,
        request: Request,
        application: Application,
        session: Session,
        policy_id: str,
        redirect_uri: str,
        challenge: str,
        client_name: str,
        snapshot: Snapshot,
    ) -> Response:
        """Asks the person: the client, which anyone may have registered, gets a token in their name."""
        query = query_of(request.url) or {}
        url = request.url
        marker = f"?kid={application.aud}&redirect_url={PREFIX}oauth/authorization"
        again = request.replace(url=URL(url.scheme, url.hostname, url.port, url.path, marker))
        login = await self._flow.read(again, url.hostname, snapshot)
        if isinstance(login, Response):
            return login
        form = await read_form(request) if request.method == "POST" else None
        if form is None or not self._flow.is_own_form(login, form):
            return self._consent_page(request, login, application, session, client_name, redirect_uri, snapshot)
        if form.get("answer") != "allow":
            return redirect_back(redirect_uri, {"error": "access_denied", "state": query.get("state", "")})
        value: dict[str, JSON] = {
            "client": query["client_id"],
            "redirect_uri": redirect_uri,
            "challenge": challenge,
            "policy": policy_id,
        }
        code = await self._services.opaque.issue(
            "oauth_code", session, application.id, snapshot, seconds=_CODE_SECONDS, value=value
        )
        return redirect_back(redirect_uri, {"code": code, "state": query.get("state", "")})

    def _consent_page(
        self,
        request: Request,
        login: Login,
        application: Application,
        session: Session,
        client_name: str,
        redirect_uri: str,
        snapshot: Snapshot,
    ) -> Response:
        content = fill(
            '<h1>Let a program use {app}?</h1>\n<p class="lead"><strong><bdi>{client}</bdi></strong> wants to reach it '
            "as <bdi>{email}</bdi>. Allow it only if you have just started it.</p>\n"
            "<dl>\n<dt>Goes back to</dt><dd><bdi>{place}</bdi></dd>\n</dl>\n"
            '<form method="post" action="{action}">\n<input type="hidden" name="csrf" value="{csrf}">\n'
            '<p><button name="answer" value="allow">Allow</button></p>\n'
            '<ul class="choices"><li><button name="answer" value="deny">Do not allow</button></li></ul>\n</form>\n',
            app=application.name,
            client=client_name or "A program without a name",
            email=session.identity.email,
            place=redirect_uri,
            action=request.url.target,
            csrf=login.csrf,
        )
        page = html_page.page("Let a program in?", content, team=snapshot.organization.name)
        return self._flow.with_browser(page, login)

    async def _answer_token_request(self, request: Request, snapshot: Snapshot) -> Response:
        form = await read_form(request)
        if form is None:
            return oauth_error("invalid_request", "send a form, with each parameter once")
        credentials = read_client_credentials(request.credentials.authorization, form)
        if credentials is None or credentials.secret:
            return oauth_error("invalid_client", "clients here are public: send client_id in the form", status=401)
        opaque = self._services.opaque
        match form.get("grant_type"):
            case "authorization_code":
                proof = await opaque.take("oauth_code", form.get("code", ""), snapshot)
                if proof is None or proof.value.get("client") != credentials.client_id:
                    return oauth_error("invalid_grant", "the code is not valid; it counts once, for a minute")
                if form.get("redirect_uri") != proof.value.get("redirect_uri"):
                    return oauth_error("invalid_grant", "the redirect_uri is not that of the authorization request")
                if not matches_challenge(form.get("code_verifier", ""), str(proof.value.get("challenge"))):
                    return oauth_error("invalid_grant", "the code_verifier does not fit")
            case "refresh_token":
                proof = await opaque.take("oauth_refresh", form.get("refresh_token", ""), snapshot)
                if proof is None or proof.value.get("client") != credentials.client_id:
                    return oauth_error("invalid_grant", "the refresh token is not valid; it counts once")
            case _:
                return oauth_error("unsupported_grant_type", "use authorization_code or refresh_token")
        return await self._issue_tokens(request, proof, snapshot)

    async def _issue_tokens(self, request: Request, proof: OpaqueToken, snapshot: Snapshot) -> Response:
        """Policies are asked at each refresh. A grant ends with its session's duration, however often it is renewed."""
        application = snapshot.application(proof.application_id)
        if application is None or application.oauth is None:
            return oauth_error("invalid_grant", "the application accepts no OAuth tokens any more")
        policy = self._flow.allows(proof.session.identity, request, application, snapshot)
        if policy is None:
            return oauth_error("invalid_grant", "no policy allows this person any more")
        settings, now = application.oauth, self._services.clock.now()
        ends_at = proof.value.get("ends_at")
        if not isinstance(ends_at, int):
            seconds = settings.session_seconds or self._services.issuer.seconds(application, policy, snapshot)
            ends_at = now + seconds
        if now >= ends_at:
            return oauth_error("invalid_grant", "the grant has ended; ask for authorization again")
        access_seconds = min(settings.access_token_seconds, ends_at - now)
        value: dict[str, JSON] = {"client": proof.value.get("client"), "policy": policy.id, "ends_at": ends_at}
        opaque = self._services.opaque
        access = await opaque.issue(
            "oauth_access",
            proof.session,
            application.id,
            snapshot,
            seconds=access_seconds,
            prefix=TOKEN_PREFIX,
            value=value,
        )
        refresh = await opaque.issue(
            "oauth_refresh", proof.session, application.id, snapshot, seconds=ends_at - now, value=value
        )
        answer: dict[str, JSON] = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": access_seconds,
            "refresh_token": refresh,
        }
        return replies.json_reply(answer, headers={"Pragma": "no-cache"})


async def _read_json(request: Request) -> dict[str, JSON] | None:
    if request.body is None:
        return None
    try:
        value: JSON = json.loads(await request.body.read(limit=_MAX_BODY))
    except (BodyTooLarge, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def may_redirect_to(uri: str, settings: ManagedOAuthSettings) -> bool:
    """A local program's address, where the application allows any, or one that it lists."""
    if len(uri) > MAX_REDIRECT_URI or not _VISIBLE.fullmatch(uri) or "\\" in uri:
        return False
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    if (
        not _SCHEME.fullmatch(parts.scheme)
        or parts.scheme in _FORBIDDEN_SCHEMES
        or parts.fragment
        or parts.username is not None
    ):
        return False
    if uri in settings.allowed_uris:
        return True
    if parts.scheme == "http" and host == "localhost" and settings.any_on_localhost:
        return True
    if parts.scheme == "http" and host in ("127.0.0.1", "::1") and settings.any_on_loopback:
        return True
    if parts.scheme not in ("http", "https"):
        return False
    return any(
        allowed.endswith("/*") and uri.startswith(allowed[:-1]) and "/.." not in parts.path and "%" not in parts.path
        for allowed in settings.allowed_uris
    )


def is_resource(text: str, application: Application, snapshot: Snapshot) -> bool:
    """RFC 8707: the resource of a token is an address of this application."""
    try:
        url = URL.parse(text)
    except InvalidURL:
        return False
    match = snapshot.index.match(url.hostname, url.path)
    return match is not None and match.application is application
