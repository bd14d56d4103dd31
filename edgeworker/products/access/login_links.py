"""The addresses of the login round trip, and which of them a login may end at. Pure.

https://<team>/cdn-cgi/access/login/<host>?kid=<aud>&redirect_url=<path and query>&meta=<JWT> and back to
https://<host>/cdn-cgi/access/authorized?nonce=<nonce>&state=<what is shown to people>.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from edgeworker.config import JSON
from edgeworker.messages import URL, InvalidURL, Request
from edgeworker.products.access import jws
from edgeworker.products.access.config import TEAM_SUFFIX, Application
from edgeworker.products.access.jws import encode_base64url
from edgeworker.products.access.tokens import META_SECONDS

PREFIX: Final = "/cdn-cgi/access/"
MAX_REDIRECT: Final = 4096
# A backslash and control characters are where URL parsers differ; two slashes begin a host.
_RELATIVE: Final = re.compile(r"/(?!/)[^\\\x00-\x20\x7f]*")


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """What a login is for, as its URL says it. `query` is the query string, without "?". `meta` has what our own edge
    signed, or is empty: then someone typed the URL."""

    host: str
    aud: str
    redirect: str
    query: str
    meta: Mapping[str, JSON]

    @property
    def origin(self) -> str:
        """Scheme, host and port that the browser came from, or ""."""
        return jws.text(self.meta, "origin")

    @property
    def app_session_hash(self) -> str:
        return jws.text(self.meta, "app_session")


def login_url(issuer: str, *, host: str, aud: str, redirect: str, meta: str) -> str:
    query = urlencode({"kid": aud, "redirect_url": redirect, "meta": meta}, quote_via=quote)
    return f"{issuer}{PREFIX}login/{quote(host, safe='')}?{query}"


def browser_origin(request: Request) -> str:
    """Where a browser has to be sent to come back to this host."""
    return request.visible_origin or request.url.origin


def meta_claims(
    application: Application,
    url: URL,
    *,
    origin: str,
    issuer: str,
    service_token: bool,
    country: str,
    app_session_hash: str,
    now: int,
    chain: tuple[str, ...] = (),
    final: str = "",
) -> dict[str, JSON]:
    """What the login URL tells about the request. People decode it to see whether a service token was recognised."""
    claims: dict[str, JSON] = {
        "type": "meta",
        "aud": application.aud,
        "hostname": url.hostname,
        "service_token_status": service_token,
        "is_warp": False,
        "is_gateway": False,
        "auth_status": "NONE",
        "real_country": country,
        "iss": issuer,
        "iat": now,
        "exp": now + META_SECONDS,
        "origin": origin,
        "app_session": app_session_hash,
    }
    if chain or final:
        claims["chain"], claims["final"] = list(chain), final
    return claims


def is_relative(redirect: str) -> bool:
    """Whether it stays on the host that it is joined to, whichever parser joins it."""
    if len(redirect) > MAX_REDIRECT or _RELATIVE.fullmatch(redirect) is None:
        return False
    try:
        joined = URL.parse("https://host.invalid/").join(redirect)
    except InvalidURL:
        return False
    # "/%5Cevil" and "/./\evil" become hosts in readers that decode first.
    return joined.hostname == "host.invalid" and not joined.path.startswith("//")


def redirect_of(url: URL) -> str:
    """The target to return to after the login: the root of the host if the request's own is not safe."""
    return url.target if is_relative(url.target) else "/"


def authorized_url(origin: str, *, nonce: str, host: str, redirect: str, is_sso: bool) -> str:
    state = encode_base64url(json.dumps({"hostname": host, "redirectURL": redirect, "isSSO": is_sso}).encode())
    return f"{origin}{PREFIX}authorized?{urlencode({'nonce': nonce, 'state': state})}"


def query_of(url: URL) -> dict[str, str] | None:
    """Names and values; None where a name comes twice (two readers could take different ones), or there are many."""
    try:
        pairs = parse_qsl(url.query.removeprefix("?"), keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return None
    found = dict(pairs)
    return found if len(found) == len(pairs) else None


def may_return_to(text: str, *, issuer: str, auth_domain: str, is_application_host: bool, hostname: str) -> bool:
    """After a logout: the team domain, its subdomains and hosts of applications, over http(s)."""
    own = issuer.partition("://")[2].partition(":")[0]
    if "\\" in text or re.search(r"[\x00-\x20\x7f]", text):
        return False
    domains = (own, auth_domain, auth_domain.removesuffix(TEAM_SUFFIX) + ".localhost")
    return is_application_host or any(hostname == domain or hostname.endswith(f".{domain}") for domain in domains)
