"""Managed OAuth: discovery, registration, consent, PKCE, opaque tokens, and refresh under the policies."""

import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from edgeworker.config import JSON
from edgeworker.products.access.managed_oauth import may_redirect_to
from edgeworker.products.access.objects import parse_application
from edgeworker.testing.calls import Reply
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import SHOP, TEAM, Browser, app, edge_with, form_of, headers_at_origin, members

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
LOCAL = "http://127.0.0.1:5555/back"
OAUTH: JSON = {"enabled": True, "grant": {"session_duration": "1h"}}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _edge(**more: JSON) -> LocalEdge:
    return edge_with(
        app("shop", "shop.example.com", oauth_configuration=OAUTH, **more), app("wiki", "wiki.example.com")
    )


async def _register(edge: LocalEdge, *uris: str) -> str:
    metadata = members(await edge.fetch(f"{SHOP}/.well-known/oauth-authorization-server"))
    body: JSON = {"client_name": "Tool", "redirect_uris": list(uris or (LOCAL,))}
    reply = await edge.fetch(metadata.text("registration_endpoint"), method="POST", json=body)
    assert reply.status == 201, reply.text
    return members(reply).text("client_id")


def _authorize_url(client_id: str, **changes: str) -> str:
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": LOCAL,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "resource": f"{SHOP}/",
        "state": "st",
        **changes,
    }
    return f"{TEAM}/cdn-cgi/access/oauth/authorization?{urlencode({name: v for name, v in query.items() if v})}"


async def _code(edge: LocalEdge, browser: Browser, client_id: str, answer: str = "allow") -> dict[str, str]:
    page = await browser.go(_authorize_url(client_id))
    if "Log in to" in page.text:
        target, fields = form_of(page, "local")
        page = await browser.go(
            f"{TEAM}{target}", method="POST", body=urlencode({**fields, "email": "ada@example.com"})
        )
    assert "Let a program use shop?" in page.text
    assert "Tool" in page.text
    csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    body = urlencode({"csrf": csrf, "answer": answer})
    reply = await browser.step("POST", browser.trail[-1], body=body)
    location = reply.headers.get("location") or ""
    assert location.startswith(LOCAL)
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def _token(edge: LocalEdge, **fields: str) -> Reply:
    url = f"{TEAM}/cdn-cgi/access/oauth/token"
    return await edge.fetch(url, method="POST", headers=FORM, body=urlencode(fields))


async def _tokens(edge: LocalEdge, client: str, code: str, **changes: str) -> Reply:
    fields = {
        "grant_type": "authorization_code",
        "client_id": client,
        "code": code,
        "redirect_uri": LOCAL,
        "code_verifier": VERIFIER,
        **changes,
    }
    return await _token(edge, **fields)


async def test_a_client_finds_everything_and_gets_a_token_that_opens_the_application() -> None:
    async with _edge() as edge:
        challenge = await edge.fetch(f"{SHOP}/api/x", headers={"Accept": "application/json"})
        assert challenge.status == 401
        named = (challenge.headers.get("www-authenticate") or "").partition('resource_metadata="')[2].partition('"')[0]
        resource = members(await edge.fetch(named))
        assert resource.text("resource") == f"{SHOP}/api/x"
        assert resource.texts("authorization_servers") == (SHOP,)
        metadata = members(await edge.fetch(f"{SHOP}/.well-known/oauth-authorization-server"))
        assert metadata.text("issuer") == SHOP
        assert metadata.texts("code_challenge_methods_supported") == ("S256",)
        client_id = await _register(edge)

        answer = await _code(edge, Browser(edge), client_id)
        assert answer["state"] == "st"
        tokens = members(await _tokens(edge, client_id, answer["code"]))
        assert tokens.text("access_token").startswith("oauth:")
        assert tokens.members["expires_in"] == 900
        bearer = {"Authorization": f"Bearer {tokens.text('access_token')}"}
        assert (await edge.fetch(f"{SHOP}/api/x", headers=bearer)).status == 200
        sent = headers_at_origin(edge)
        assert sent.get("cf-access-authenticated-user-email") == "ada@example.com"
        assert sent.has("cf-access-jwt-assertion")
        assert not sent.has("authorization")
        assert (await edge.fetch("https://wiki.example.com/", headers=bearer)).status == 302
        edge.clock.advance(900)
        expired = await edge.fetch(f"{SHOP}/api/x", headers=bearer)
        assert expired.status == 401
        assert 'error="invalid_token"' in (expired.headers.get("www-authenticate") or "")


async def test_a_browser_still_logs_in_and_the_origins_own_metadata_is_hidden() -> None:
    async with _edge() as edge:
        assert (await Browser(edge).log_in(f"{SHOP}/")).status == 200
        await edge.fetch(f"{SHOP}/.well-known/oauth-authorization-server")
        assert all("well-known" not in request.path for request in edge.origin.requests)
        assert (await edge.fetch("https://wiki.example.com/.well-known/oauth-authorization-server")).status == 302


async def test_who_does_not_agree_gives_nothing() -> None:
    async with _edge() as edge:
        client_id = await _register(edge)

        assert (await _code(edge, Browser(edge), client_id, answer="deny"))["error"] == "access_denied"


async def test_a_consent_that_another_page_sends_counts_for_nothing() -> None:
    async with _edge() as edge:
        client_id = await _register(edge)
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")

        reply = await browser.step("POST", _authorize_url(client_id), body="answer=allow&csrf=x")

        assert (reply.status, reply.headers.get("location")) == (200, None)


async def test_a_code_counts_once_for_its_client_and_its_verifier() -> None:
    async with _edge() as edge:
        client_id, other = await _register(edge), await _register(edge)
        browser = Browser(edge)
        for changes in (
            {"client_id": other},
            {"code_verifier": "w" * 43},
            {"code_verifier": ""},
            {"redirect_uri": "http://127.0.0.1:6666/back"},
        ):
            code = (await _code(edge, browser, client_id))["code"]
            assert (await _tokens(edge, client_id, code, **changes)).status == 400
            assert (await _tokens(edge, client_id, code)).status == 400  # used up
        code = (await _code(edge, browser, client_id))["code"]
        edge.clock.advance(60)
        assert (await _tokens(edge, client_id, code)).status == 400


async def test_a_refresh_asks_the_policies_again_and_ends_with_the_grant() -> None:
    async with _edge() as edge:
        client_id = await _register(edge)
        tokens = members(await _tokens(edge, client_id, (await _code(edge, Browser(edge), client_id))["code"]))
        first = tokens.text("refresh_token")
        again = {"grant_type": "refresh_token", "client_id": client_id}

        renewed = members(await _token(edge, **again, refresh_token=first))
        assert (await _token(edge, **again, refresh_token=first)).status == 400  # it counts once
        edge.clock.advance(3599)
        last = members(await _token(edge, **again, refresh_token=renewed.text("refresh_token")))
        assert last.members["expires_in"] == 1
        edge.clock.advance(1)
        assert (await _token(edge, **again, refresh_token=last.text("refresh_token"))).status == 400

        tokens = members(await _tokens(edge, client_id, (await _code(edge, Browser(edge), client_id))["code"]))
        edge.access.revoke("ada@example.com")
        assert (await _token(edge, **again, refresh_token=tokens.text("refresh_token"))).status == 400
        bearer = {"Authorization": f"Bearer {tokens.text('access_token')}"}
        assert (await edge.fetch(f"{SHOP}/", headers=bearer)).status == 401


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"resource": ""}, "invalid_target"),
        ({"resource": "https://wiki.example.com/"}, "invalid_target"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
async def test_a_request_without_what_is_needed_goes_back_as_an_error(changes: dict[str, str], error: str) -> None:
    async with _edge() as edge:
        client_id = await _register(edge)

        reply = await edge.fetch(_authorize_url(client_id, **changes))

        assert f"error={error}" in (reply.headers.get("location") or "")


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1:5555/other",
        "http://127.0.0.1.evil.test/back",
        "https://evil.test/",
        "http://x@127.0.0.1/back",
        "",
    ],
)
async def test_a_redirect_that_was_not_registered_goes_nowhere(redirect_uri: str) -> None:
    async with _edge() as edge:
        client_id = await _register(edge)
        reply = await edge.fetch(_authorize_url(client_id, redirect_uri=redirect_uri))

        assert (reply.status, reply.headers.get("location")) == (400, None)


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("http://127.0.0.1:1/x", True),
        ("http://[::1]:1/x", True),
        ("http://localhost/x", True),
        ("https://app.test/cb/x", True),
        ("https://app.test/cb/../x", False),
        ("https://app.test/cb/%2e%2e/x", False),
        ("https://app.test.evil.test/cb/x", False),
        ("https://evil.test/", False),
        ("myapp://callback", True),
        ("myapp://callback/more", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("http://localhost@evil.test/", False),
        ("http://localhost/#x", False),
        ("http://localhost\\@evil.test/", False),
        ("http://local host/", False),
        ("//localhost/", False),
        ("", False),
    ],
)
def test_where_a_client_may_be_sent_back(uri: str, allowed: bool) -> None:
    registration: JSON = {"allowed_uris": ["https://app.test/cb/*", "myapp://callback"]}
    configuration: JSON = {"enabled": True, "dynamic_client_registration": registration}
    settings = parse_application({"domain": "a.com", "oauth_configuration": configuration}).oauth
    assert settings is not None

    assert may_redirect_to(uri, settings) is allowed


async def test_bad_registrations_are_refused() -> None:
    async with _edge() as edge:
        metadata = members(await edge.fetch(f"{SHOP}/.well-known/oauth-authorization-server"))
        endpoint = metadata.text("registration_endpoint")
        bodies: list[JSON] = [
            {},
            {"redirect_uris": []},
            {"redirect_uris": ["https://evil.test/"]},
            [],
            {"redirect_uris": 7},
        ]
        for body in bodies:
            assert (await edge.fetch(endpoint, method="POST", json=body)).status == 400
        assert (await edge.fetch(endpoint, method="POST", body=b"{")).status == 400
        assert (await edge.fetch(endpoint.partition("?")[0], method="POST", json={})).status == 403
        assert (await edge.fetch(endpoint, method="GET")).status == 404
