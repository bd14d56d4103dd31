"""No request makes the edge fail: parts that are right, wrong, too many and not text, put together at random."""

import random
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from edgeworker.config import JSON
from edgeworker.messages import URL, Body, Client, Headers, InvalidURL, Request
from edgeworker.products.access.config import ConfiguredObject
from tests.products.access.stage import ALLOW_EXAMPLE, SERVICE, SHOP, Browser, app, edge_with

REQUESTS = 1200
CRM: dict[str, JSON] = {
    "name": "CRM",
    "type": "saas",
    "saas_app": {"client_id": "crm", "client_secret": "x" * 20, "redirect_uris": ["https://crm.test/back"]},
    "policies": [ALLOW_EXAMPLE],
}
OBJECTS = (
    app("shop", "shop.example.com", ALLOW_EXAMPLE, SERVICE, read_service_tokens_from_header="X-Tok"),
    app("o", "o.example.com", oauth_configuration={"enabled": True}, enable_binding_cookie=True),
    ConfiguredObject("app", "id-crm", CRM),
)
HOSTS = ("shop.example.com", "acme.cloudflareaccess.com", "o.example.com", "other.test")
ACCESS = "/cdn-cgi/access/"
PATHS = (
    "/",
    *(
        f"{ACCESS}{name}"
        for name in ("", "certs", "login", "callback", "authorized", "eager", "logout", "get-identity")
    ),
    *(f"{ACCESS}{name}/shop.example.com" for name in ("login", "local", "onetimepin", "idp/x")),
    *(f"{ACCESS}oauth/{name}" for name in ("authorization", "token", "registration")),
    *(f"{ACCESS}sso/oidc/crm/{name}" for name in ("authorization", "token", "userinfo")),
    "/.well-known/oauth-authorization-server",
    "/.well-known/cloudflare-access-protected-resource/x",
)
VALUES = ("", "x", "é", "\U0001f600", "a" * 9000, "%00", "//evil", "http://[::1", "\ud800", "oauth:x", "{}", "Basic !!")
KEYS = (
    *("kid", "redirect_url", "meta", "nonce", "state", "code", "client_id", "redirect_uri", "response_type", "scope"),
    *("code_challenge", "code_challenge_method", "resource", "returnTo", "aud", "email", "csrf", "grant_type"),
)
FIELDS = (
    *(b"Authorization", b"Cf-Access-Token", b"Cf-Access-Jwt-Assertion", b"CF-Access-Client-Id", b"X-Tok", b"Origin"),
    *(b"CF-Access-Client-Secret", b"Accept", b"X-Requested-With", b"Upgrade", b"Sec-Fetch-Site", b"Cookie"),
)
COOKIES = (b"CF_Authorization=", b"CF_AppSession=", b"CF_Session=", b"CF_Binding=", b"")
BODIES = (b"\xff\xfe", b"{", b'{"redirect_uris":[1,"http://[::1"]}', b"a=1&a=2")
KINDS = (b"application/x-www-form-urlencoded", b"application/json", b"text/plain")


def _requests(chance: random.Random, real: tuple[str, ...]) -> Iterator[Request]:
    def value() -> bytes:
        return chance.choice([*VALUES, *real]).encode("utf-8", "surrogatepass")

    for _ in range(REQUESTS):
        host = chance.choice(HOSTS)
        query = urlencode([(chance.choice(KEYS), value()) for _ in range(chance.choice([0, 1, 3, 8, 70]))])
        fields = [(b"Host", host.encode())]
        for _ in range(chance.choice([0, 1, 3])):
            name = chance.choice(FIELDS)
            before = chance.choice(COOKIES) if name == b"Cookie" else b""
            after = chance.choice([b"", b"; CF_Authorization=x", b"; y=\xff\xfe"]) if name == b"Cookie" else b""
            fields.append((name, before + value() + after))
        method = chance.choice(["GET", "POST", "HEAD", "OPTIONS"])
        body = None
        if method == "POST":
            fields.append((b"Content-Type", chance.choice(KINDS)))
            body = Body(
                chance.choice([query.encode(), b"\xff\xfe", b"{", b'{"redirect_uris":[1,"http://[::1"]}', b"a=1&a=2"])
            )
        try:
            url = URL.from_target("https", host, f"{chance.choice(PATHS)}?{query}")
        except InvalidURL:
            continue
        yield Request(method, url, Headers.from_raw(fields), body, client=Client("192.0.2.1", 1))


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_request_is_answered_with_a_failure(seed: int) -> None:
    async with edge_with(*OBJECTS) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")
        real = (
            browser.token(),
            browser.token("acme.cloudflareaccess.com"),
            edge.access.aud("shop"),
            edge.access.aud("CRM"),
        )
        answered = 0
        for request in _requests(random.Random(seed), (*real, "https://crm.test/back", "code", "S256", "A" * 43)):
            response = await edge.answer(request)
            assert response.status < 500, request
            answered += 1

        assert answered > REQUESTS / 2
