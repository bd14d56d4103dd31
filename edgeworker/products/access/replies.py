"""Access's own responses: refusals, redirects, JSON. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from edgeworker.config import JSON
from edgeworker.messages import Headers, RefusalReason, Request, Response
from edgeworker.products.access import cookies, pages
from edgeworker.products.access.answers import Refuse, cors_fields
from edgeworker.products.access.config import Application
from edgeworker.products.access.matching import Match

if TYPE_CHECKING:
    from edgeworker.products.access.directory import Snapshot

_NO_STORE: Final = "private, no-store"
PROTECTED_RESOURCE: Final = "/.well-known/cloudflare-access-protected-resource"
OAUTH_RESOURCE: Final = "/.well-known/oauth-protected-resource"


def refuse(
    refusal: Refuse,
    request: Request,
    snapshot: "Snapshot",
    match: Match | None,
    *,
    email: str = "",
    error: str = "",
    evidence: Sequence[str] = (),
) -> Response:
    """`error` is for OAuth's challenge ("invalid_token"); `email` is who was refused, for the page. `evidence` is for
    `edgeworker explain`."""
    url = request.url
    application = None if match is None else match.application
    ray = request.headers.get("cf-ray") or ""
    if refusal.as_json:
        title, text = pages.REASONS[refusal.reason]
        response = json_reply(
            {"success": False, "error": refusal.reason, "message": f"{title} {text}", "ray_id": ray},
            status=refusal.status,
        )
    else:
        message = "" if application is None or refusal.reason != "policy_denied" else application.custom_deny_message
        response = pages.refusal_page(
            refusal.reason,
            status=refusal.status,
            team=snapshot.organization.name,
            host=url.hostname,
            ray=ray,
            email=email,
            message=message,
            retry_url="/cdn-cgi/access/logout" if email else "",
        )
    headers = response.headers
    headers.set("Cf-Access-Error", refusal.reason)
    if refusal.names_app and match is not None:
        headers.set("cf-access-aud", match.application.aud)
        headers.set("cf-access-domain", match.uri)
    if refusal.challenge == "access":
        headers.set("WWW-Authenticate", access_challenge(request))
    elif refusal.challenge == "oauth":
        suffix = f', error="{error}"' if error else ""
        metadata_url = f"{url.origin}{OAUTH_RESOURCE}{'' if url.path == '/' else url.path}"
        headers.set("WWW-Authenticate", f'Bearer resource_metadata="{metadata_url}"{suffix}')
    if refusal.cors:
        headers.set("Access-Control-Allow-Headers", "X-Requested-With")
        headers.set("Access-Control-Allow-Credentials", "true")
    response.refusal_reason = _build_reason(refusal, application, evidence)
    return response


def _build_reason(refusal: Refuse, application: Application | None, evidence: Sequence[str]) -> RefusalReason:
    title, text = pages.REASONS[refusal.reason]
    rule = "no application" if application is None else f'application "{application.name}" ({application.id})'
    return RefusalReason(f"Access: {rule}", (f"{refusal.reason}: {title} {text}", *evidence))


def access_challenge(request: Request) -> str:
    origin = request.visible_origin or request.url.origin
    return f'Cloudflare-Access resource_metadata="{origin}{PROTECTED_RESOURCE}{request.url.path}"'


def ambiguous_path(snapshot: "Snapshot", host: str) -> Response:
    text = 'An origin may take the path for one of another application; write it without "//", ";" and "%2F".'
    response = pages.message_page("Bad request", text, team=snapshot.organization.name, status=400)
    response.headers.set("Cf-Access-Error", "ambiguous_path")
    response.refusal_reason = RefusalReason("Access: paths that servers read in two ways", (text,))
    return response


def to_login(target: str, request: Request, app_session: str) -> Response:
    response = redirect(target)
    secure = request.url.scheme == "https"
    cookie = cookies.make(cookies.APP_SESSION, app_session, secure=secure, seconds=cookies.APP_SESSION_SECONDS)
    response.headers.append("Set-Cookie", cookie)
    response.headers.set("WWW-Authenticate", access_challenge(request))
    return response


def redirect(target: str, *, status: int = 302) -> Response:
    return Response(status, Headers({"Location": target, "Cache-Control": _NO_STORE}))


def metadata(token: str) -> Response:
    return Response(200, Headers({"cf-access-metadata": token, "Cache-Control": _NO_STORE}))


def preflight(request: Request, application: Application) -> Response:
    headers = request.headers
    fields = cors_fields(
        application,
        headers.get("origin") or "",
        headers.get("access-control-request-method") or "",
        headers.get("access-control-request-headers") or "",
    )
    return Response(204, Headers([("Cache-Control", _NO_STORE), *fields]))


def credential_fields(request: Request, application: Application) -> frozenset[bytes]:
    """Fields that hold a credential for Access alone, which no origin should get."""
    name = application.service_token_header
    if name is not None and (request.headers.get(name) or "").lstrip().startswith("{"):
        return frozenset({name.lower().encode("ascii")})
    return frozenset()


def json_reply(value: JSON, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    fields = {"Content-Type": "application/json", "Cache-Control": _NO_STORE, **(headers or {})}
    response = Response(status, Headers(fields), json.dumps(value, separators=(",", ":")).encode())
    if status >= 400 and isinstance(value, dict):
        told = (value.get(name) for name in ("error", "err", "error_description"))
        response.refusal_reason = RefusalReason("Access: one of its own addresses", tuple(map(str, filter(None, told))))
    return response
