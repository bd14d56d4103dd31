"""Access in front of an origin: who gets through, with what, and what everyone else is answered."""

from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from edgeworker.config import JSON
from edgeworker.products.access.config import access_config
from edgeworker.products.access.objects import parse_application
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import (
    ALLOW_EXAMPLE,
    CI_HEADERS,
    PREFIX,
    SERVICE,
    SHOP,
    TEAM,
    Browser,
    app,
    edge_with,
    headers_at_origin,
    members,
)

BYPASS: dict[str, JSON] = {"name": "all", "decision": "bypass", "include": [{"everyone": {}}]}
XHR = {"X-Requested-With": "XMLHttpRequest"}
WEBSOCKET = {"Connection": "Upgrade", "Upgrade": "websocket"}
JSON_ONLY = {"Accept": "application/json"}
PREFLIGHT = {"Origin": "https://b.test", "Access-Control-Request-Method": "PUT"}
WRONG = {**CI_HEADERS, "CF-Access-Client-Secret": "wrong"}

LOGIN_PATH = f"{TEAM}{PREFIX}login/shop.example.com?kid="


# access.md of the reference, section 6, row by row, over a whole edge.
@pytest.mark.parametrize(
    ("method", "headers", "login_status", "service_status"),
    [
        ("GET", {}, 302, 403),
        ("POST", {}, 302, 403),
        ("GET", XHR, 401, 403),
        ("GET", JSON_ONLY, 302, 403),
        ("GET", {"Sec-Fetch-Mode": "cors"}, 302, 403),
        ("GET", WEBSOCKET, 302, 403),
        ("OPTIONS", PREFLIGHT, 403, 403),
        ("GET", WRONG, 302, 403),
        ("GET", {"CF-Access-Client-Id": "ci.access"}, 302, 403),
        ("GET", {"Cookie": "CF_Authorization=forged"}, 302, 403),
        ("GET", {"Cf-Access-Jwt-Assertion": "forged"}, 302, 403),
        ("GET", {"Cf-Access-Token": "forged"}, 302, 403),
    ],
)
async def test_the_matrix_of_answers(
    method: str, headers: dict[str, str], login_status: int, service_status: int
) -> None:
    async with edge_with(app("shop", "shop.example.com"), app("api", "api.example.com", SERVICE)) as edge:
        at_shop = await edge.fetch(f"{SHOP}/x?y=1", method=method, headers=headers)
        at_api = await edge.fetch("https://api.example.com/x", method=method, headers=headers)

        assert (at_shop.status, at_api.status) == (login_status, service_status)
        assert edge.origin.requests == []
        if login_status == 302:
            assert (at_shop.headers.get("location") or "").startswith(LOGIN_PATH)
            assert any(field.startswith("CF_AppSession=") for field in at_shop.headers.get_set_cookie())
        if login_status in (302, 401):
            challenge = f'resource_metadata="{SHOP}/.well-known/cloudflare-access-protected-resource/x"'
            assert at_shop.headers.get("www-authenticate") == f"Cloudflare-Access {challenge}"
        if login_status == 401:
            assert at_shop.headers.get("access-control-allow-credentials") == "true"
            assert at_shop.headers.has("access-control-allow-headers")
        assert at_api.headers.get("cf-access-domain") == "api.example.com"
        assert len(at_api.headers.get("cf-access-aud") or "") == 64
        assert at_api.headers.get("cf-access-error")
        is_json = (at_api.headers.get("content-type") or "").startswith("application/json")
        assert is_json is (headers is JSON_ONLY)


async def test_service_auth_may_answer_401() -> None:
    async with edge_with(app("api", "api.example.com", SERVICE, service_auth_401_redirect=True)) as edge:
        assert (await edge.fetch("https://api.example.com/")).status == 401


@pytest.mark.parametrize(
    ("headers", "at_login_app", "at_service_app", "at_other_app"),
    [
        (CI_HEADERS, 403, 200, 403),
        (WRONG, 401, 401, 401),
        ({"CF-Access-Client-Id": "ci.access"}, 401, 401, 401),
        ({"CF-Access-Client-Secret": "x"}, 401, 401, 401),
        ({**CI_HEADERS, "CF-Access-Client-Id": "unknown.access"}, 401, 401, 401),
    ],
)
async def test_the_matrix_in_strict_service_token_mode(
    headers: dict[str, str], at_login_app: int, at_service_app: int, at_other_app: int
) -> None:
    other: JSON = {"name": "other", "decision": "non_identity", "include": [{"service_token": "another"}]}
    objects = (
        app("shop", "shop.example.com"),
        app("api", "api.example.com", SERVICE),
        app("b", "b.example.com", other),
    )
    async with edge_with(*objects, organization={"strict_service_token_auth": True}) as edge:
        replies = [await edge.fetch(f"https://{host}.example.com/", headers=headers) for host in ("shop", "api", "b")]

        assert [reply.status for reply in replies] == [at_login_app, at_service_app, at_other_app]
        assert all(not reply.headers.get_set_cookie() for reply in replies)


async def test_strict_mode_ignores_a_cookie_that_comes_with_a_service_token() -> None:
    async with edge_with(app("shop", "shop.example.com"), organization={"strict_service_token_auth": True}) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")

        assert (await browser.step("GET", f"{SHOP}/")).status == 200
        assert (await browser.step("GET", f"{SHOP}/", headers=CI_HEADERS)).status == 403
        assert (await browser.step("GET", f"{SHOP}/", headers=WRONG)).status == 401


async def test_a_login_opens_the_application_and_the_origin_gets_a_signed_token() -> None:
    async with edge_with(app("shop", "shop.example.com")) as edge:
        browser = Browser(edge)
        reply = await browser.log_in(f"{SHOP}/orders?page=2")

        assert reply.status == 200
        assert browser.trail[-1] == f"{SHOP}/orders?page=2"
        sent = headers_at_origin(edge)
        token = sent.get("cf-access-jwt-assertion") or ""
        assert sent.get("cf-access-authenticated-user-email") == "ada@example.com"
        assert sent.get("cookie") == f"CF_Authorization={token}"
        certs = members(await edge.fetch(f"{TEAM}{PREFIX}certs"))
        keys = jwt.PyJWKSet.from_dict(dict(certs.members))
        claims = jwt.decode(
            token,
            keys[jwt.get_unverified_header(token)["kid"]].key,
            algorithms=["RS256"],
            audience=_aud(edge),
            issuer=TEAM,
        )
        assert claims["email"] == "ada@example.com"
        assert claims["exp"] - claims["iat"] == 86_400
        assert claims["custom"] == {"department": "R&D"}
        assert not reply.headers.has("cf-access-jwt-assertion")


def _aud(edge: LocalEdge) -> str:
    config = access_config(edge.config)
    assert config is not None
    return parse_application(dict(config.objects[0].value)).aud


async def test_each_place_of_a_token_opens_the_application_but_authorization_does_not() -> None:
    async with edge_with(app("shop", "shop.example.com")) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")
        token = browser.token()

        async def status(headers: dict[str, str]) -> int:
            return (await edge.fetch(f"{SHOP}/", headers=headers)).status

        assert await status({"Cookie": f"CF_Authorization={token}"}) == 200
        assert await status({"Cf-Access-Token": token}) == 200
        assert await status({"Cf-Access-Jwt-Assertion": token}) == 200
        assert await status({"Authorization": f"Bearer {token}"}) == 302
        assert await status({"Cookie": f"CF_Authorization=forged; CF_Authorization={token}"}) == 200
        for request in edge.origin.requests:
            assert request.headers.get("cf-access-jwt-assertion") == token
            assert request.headers.get("cookie") == f"CF_Authorization={token}"


async def test_two_credentials_leave_one_token_for_the_origin() -> None:
    """Attack: a header and a cookie of two people, of which the edge believes one and the origin the other."""
    async with edge_with(app("shop", "shop.example.com")) as edge:
        ada, bob = Browser(edge), Browser(edge)
        await ada.log_in(f"{SHOP}/")
        await bob.log_in(f"{SHOP}/", "bob@example.com")

        await edge.fetch(
            f"{SHOP}/", headers={"Cf-Access-Token": bob.token(), "Cookie": f"CF_Authorization={ada.token()}"}
        )

        sent = headers_at_origin(edge)
        assert sent.get("cf-access-authenticated-user-email") == "bob@example.com"
        assert sent.get("cookie") == f"CF_Authorization={bob.token()}"
        assert sent.get("cf-access-jwt-assertion") == bob.token()


async def test_what_a_client_says_about_itself_is_never_passed_on() -> None:
    forged = {"Cf-Access-Jwt-Assertion": "x", "Cf-Access-Authenticated-User-Email": "root@example.com"}
    async with edge_with(app("all", "open.example.com", BYPASS), app("api", "api.example.com", SERVICE)) as edge:
        for url in ("https://open.example.com/", "https://public.example.com/"):
            assert (await edge.fetch(url, headers={**forged, **CI_HEADERS})).status == 200
            assert [name for name, _ in headers_at_origin(edge) if name.startswith("cf-access")] == []
        await edge.fetch("https://api.example.com/", headers={**forged, **CI_HEADERS})

        sent = headers_at_origin(edge)
        assert [name for name, _ in sent if name.startswith("cf-access")] == ["cf-access-jwt-assertion"]
        assert sent.get("cf-access-jwt-assertion") != "x"


async def test_a_service_token_gets_a_token_and_a_cookie_that_opens_the_application_again() -> None:
    async with edge_with(app("api", "api.example.com", SERVICE)) as edge:
        browser = Browser(edge)
        first = await browser.step("GET", "https://api.example.com/", headers=CI_HEADERS)
        token = browser.token("api.example.com")
        second = await browser.step("GET", "https://api.example.com/")

        assert (first.status, second.status) == (200, 200)
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (claims["common_name"], claims["sub"], claims["aud"]) == ("ci.access", "", _aud(edge))
        sent = headers_at_origin(edge)
        assert not sent.has("cf-access-authenticated-user-email")
        assert sent.get("cf-access-jwt-assertion") == token


async def test_a_service_token_comes_in_the_one_header_that_the_application_names() -> None:
    single = '{"cf-access-client-id":"ci.access","cf-access-client-secret":"s3cret-of-ci"}'
    api = app("api", "api.example.com", SERVICE, read_service_tokens_from_header="Authorization")
    async with edge_with(api, organization={"strict_service_token_auth": True}) as edge:
        assert (await edge.fetch("https://api.example.com/", headers={"Authorization": single})).status == 200
        assert not headers_at_origin(edge).has("authorization")
        assert (await edge.fetch("https://api.example.com/", headers={"Authorization": "Bearer x"})).status == 403
        both = {"Authorization": single, **CI_HEADERS}
        assert (await edge.fetch("https://api.example.com/", headers=both)).status == 401


async def test_an_allow_policy_never_lets_a_service_token_in_but_the_login_url_says_that_it_was_known() -> None:
    allow: JSON = {"name": "mistake", "decision": "allow", "include": [{"any_valid_service_token": {}}]}
    async with edge_with(app("shop", "shop.example.com", allow)) as edge:
        known = await edge.fetch(f"{SHOP}/", headers=CI_HEADERS)
        unknown = await edge.fetch(f"{SHOP}/", headers=WRONG)

        assert (known.status, unknown.status) == (302, 302)
        assert [_meta(reply.headers.get("location") or "")["service_token_status"] for reply in (known, unknown)] == [
            True,
            False,
        ]
        meta = _meta(known.headers.get("location") or "")
        assert (meta["type"], meta["hostname"], meta["auth_status"]) == ("meta", "shop.example.com", "NONE")
        assert (meta["is_warp"], meta["is_gateway"], meta["real_country"]) == (False, False, "US")


def _meta(location: str) -> dict[str, JSON]:
    token = parse_qs(urlsplit(location).query)["meta"][0]
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize("kind", ["organization", "meta", "other application"])
async def test_a_genuine_token_of_another_kind_opens_nothing(kind: str) -> None:
    async with edge_with(app("shop", "shop.example.com"), app("wiki", "wiki.example.com")) as edge:
        browser = Browser(edge)
        await browser.log_in("https://wiki.example.com/")
        location = (await edge.fetch(f"{SHOP}/")).headers.get("location") or ""
        token = {
            "organization": browser.token("acme.cloudflareaccess.com"),
            "meta": location.partition("meta=")[2],
            "other application": browser.token("wiki.example.com"),
        }[kind]

        for name in ("Cf-Access-Token", "Cf-Access-Jwt-Assertion"):
            assert (await edge.fetch(f"{SHOP}/", headers={name: token})).status == 302
        assert (await edge.fetch(f"{SHOP}/", headers={"Cookie": f"CF_Authorization={token}"})).status == 302


async def test_rules_about_the_request_are_asked_again_each_time() -> None:
    office: JSON = {**ALLOW_EXAMPLE, "require": [{"ip": "192.0.2.0/24"}]}
    async with edge_with(app("shop", "shop.example.com", office)) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")
        assert (await browser.step("GET", f"{SHOP}/")).status == 200

        browser.ip = "203.0.113.9"
        away = await browser.step("GET", f"{SHOP}/")

        assert away.status == 403
        assert away.headers.get("cf-access-error") == "policy_denied"
        browser.ip = "192.0.2.77"
        assert (await browser.step("GET", f"{SHOP}/")).status == 200


async def test_an_application_by_path_leaves_the_rest_of_the_host_alone() -> None:
    async with edge_with(app("admin", "shop.example.com/admin")) as edge:
        assert (await edge.fetch(f"{SHOP}/")).status == 200
        assert (await edge.fetch(f"{SHOP}/administrator")).status == 200
        for path in ("/admin", "/admin/", "/admin/x", "/%61dmin", "/x/../admin", "/./admin"):
            assert (await edge.fetch(f"{SHOP}{path}")).status == 302, path
        for path in ("//admin", "/x/%2e%2e%2fadmin", "/admin;x", "/%2Fadmin"):
            assert (await edge.fetch(f"{SHOP}{path}")).status in (302, 400), path
        assert {request.path for request in edge.origin.requests} == {"/", "/administrator"}


async def test_an_organization_may_require_an_application_everywhere() -> None:
    settings: JSON = {"deny_unmatched_requests": True, "deny_unmatched_requests_exempted_zone_names": ["other.test"]}
    assert isinstance(settings, dict)
    async with edge_with(app("shop", "shop.example.com"), organization=settings) as edge:
        blocked = await edge.fetch("https://public.example.com/")

        assert blocked.status == 403
        assert blocked.headers.get("cf-access-error") == "unmatched"
        assert (await edge.fetch("https://www.other.test/")).status == 200


async def test_what_an_origin_answers_cannot_look_like_access() -> None:
    async with edge_with(app("shop", "shop.example.com")) as edge:
        edge.origin.on(
            "shop.example.com/echo",
            headers=[
                ("Cf-Access-Jwt-Assertion", "x"),
                ("cf-access-error", "x"),
                ("Set-Cookie", "CF_Authorization=evil; Domain=example.com"),
                ("Set-Cookie", "mine=1"),
            ],
        )
        browser = Browser(edge)
        reply = await browser.log_in(f"{SHOP}/echo")

        assert reply.status == 200
        assert [name for name, _ in reply.headers if name.startswith("cf-access")] == []
        assert reply.headers.get_set_cookie() == ["mine=1"]


async def test_cloudflared_is_told_which_application_it_is() -> None:
    async with edge_with(app("wild", "*.example.com")) as edge:
        reply = await edge.fetch(f"{SHOP}/", method="HEAD", headers={"Cf-Access-Metadata-Request": "true"})

        claims = jwt.decode(reply.headers.get("cf-access-metadata") or "", options={"verify_signature": False})
        assert (claims["type"], claims["hostname"], claims["app_hostname"]) == (
            "match",
            "shop.example.com",
            "*.example.com",
        )
        assert (claims["auth_domain"], claims["aud"]) == ("acme.cloudflareaccess.com", _aud(edge))


async def test_preflights_pass_or_are_answered_where_the_application_says_so() -> None:
    cors: JSON = {"allowed_origins": ["https://b.test"], "allowed_methods": ["PUT"], "max_age": 10}
    objects = (
        app("a", "a.example.com", options_preflight_bypass=True),
        app("b", "b.example.com", cors_headers=cors),
    )
    async with edge_with(*objects) as edge:
        passed = await edge.fetch("https://a.example.com/", method="OPTIONS", headers=PREFLIGHT)
        answered = await edge.fetch("https://b.example.com/", method="OPTIONS", headers=PREFLIGHT)

        assert passed.status == 200
        assert [request.host for request in edge.origin.requests] == ["a.example.com"]
        assert not headers_at_origin(edge).has("cf-access-jwt-assertion")
        assert answered.status == 204
        assert answered.headers.get("access-control-allow-origin") == "https://b.test"
        assert answered.headers.get("access-control-max-age") == "10"
