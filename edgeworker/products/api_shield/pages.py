"""What a client gets instead of an answer. Pure.

Cloudflare's block page has the status 403 and a Ray ID; RFC 6750's challenge is ours, and off where production is
imitated.
"""

import html
import json
from typing import Final

from edgeworker.messages import Headers, Request, Response

_STYLE: Final = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:12vh auto;"
    "padding:0 1.5rem}h1{font-size:1.6rem;margin:0 0 .5rem}small{opacity:.7}"
)


def blocked(request: Request, *, challenge: bool, token_was_shown: bool) -> Response:
    """`challenge`: say in RFC 6750's words that a token is wanted, with status 401."""
    if not challenge:
        return _page(request, 403, 1020, "Sorry, you have been blocked", "A rule of this site does not let you pass.")
    response = _page(request, 401, 1020, "A valid token is needed", "The request has no token that counts here.")
    realm = request.url.hostname
    value = f'Bearer realm="{realm}"'
    if token_was_shown:
        value += ', error="invalid_token", error_description="The access token is invalid or expired"'
    response.headers.set("WWW-Authenticate", value)
    return response


def rate_limited(request: Request, *, retry_after_seconds: int) -> Response:
    response = _page(request, 429, 1015, "You are being rate limited", "Too many requests; try again later.")
    response.headers.set("Retry-After", str(retry_after_seconds))
    return response


def _page(request: Request, status: int, code: int, title: str, detail: str) -> Response:
    ray = request.headers.get("cf-ray") or ""
    headers = Headers([("cache-control", "private, no-store"), ("referrer-policy", "same-origin"), ("cf-ray", ray)])
    accept = request.headers.get("accept") or ""
    if "text/html" in accept:
        headers.append("content-type", "text/html; charset=UTF-8")
        headers.append("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
        body = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
            f"<style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1><p>{html.escape(detail)}</p>"
            f"<small>Ray ID: {html.escape(ray)}</small></body></html>"
        )
    elif "json" in accept:
        headers.append("content-type", "application/json")
        body = json.dumps({"status": status, "code": code, "title": title, "detail": detail, "ray_id": ray})
    else:
        headers.append("content-type", "text/plain; charset=UTF-8")
        body = f"error code: {code}"
    return Response(status, headers, b"" if request.method == "HEAD" else body.encode())
