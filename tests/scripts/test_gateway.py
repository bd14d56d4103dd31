"""scripts/split_token in the real runtime: the decision table, the cured defects, the attacks."""

import pytest

from edgeworker.config import JSON
from edgeworker.errors import StoreError
from edgeworker.harness.clock import MovableClock
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.store import Entry
from edgeworker.messages import Headers, Request, Response
from scripts.split_token import tokens
from tests.scripts.refusals import challenge, is_refused
from tests.scripts.stage import now, set_up, signed

APP = "https://app.example.com"


async def test_the_api_gets_the_whole_token_of_the_signature() -> None:
    async with set_up() as stage:
        whole = signed()
        got = await stage.fetch(f"Bearer {await stage.publish(whole)}", method="POST", body=b"content")

        assert (got.status, got.body) == (200, b"fine")
        assert stage.api.authorizations == [f"Bearer {whole}"]
        sent = stage.api.requests[0]
        assert (sent.method, sent.url.href, sent.redirect) == ("POST", "https://api.example.com/orders", "manual")
        assert sent.body is not None
        assert await sent.body.read() == b"content"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
async def test_the_scheme_has_no_case_and_may_be_followed_by_spaces(scheme: str) -> None:
    async with set_up() as stage:
        whole = signed()

        assert (await stage.fetch(scheme + await stage.publish(whole))).status == 200
        assert stage.api.authorizations == [f"Bearer {whole}"]


@pytest.mark.parametrize("authorization", [None, "Basic dXNlcjpwYXNz", "bVklC4cw", "Bearerx"])
async def test_without_bearer_credentials_the_challenge_has_no_error(authorization: str | None) -> None:
    async with set_up() as stage:
        got = await stage.fetch(authorization)

        assert is_refused(got, error=None)
        assert challenge(got) == {"realm": "api"}
        assert stage.api.requests == []


@pytest.mark.parametrize(
    "credentials",
    ["", "unknown", "a b", "a,b", "x" * 2049, "x=", "x==", "a.b", "a.b.c.d", ".", ".."],
)
async def test_what_is_no_published_tokenis_refused(credentials: str) -> None:
    async with set_up() as stage:
        assert is_refused(await stage.fetch(f"Bearer {credentials}"), error="invalid_token")
        assert stage.api.requests == []


async def test_the_whole_token_is_refused_and_so_is_a_padded_or_respelled_signature() -> None:
    async with set_up() as stage:
        whole = signed()
        signature = await stage.publish(whole)
        # The last of 342 characters carries four bits: these spell the same bytes.
        position = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(signature[-1])
        respelled = signature[:-1] + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[position ^ 1]

        for credentials in (whole, signature + "==", respelled, signature[:-1], signature + "A"):
            assert is_refused(await stage.fetch(f"Bearer {credentials}"), error="invalid_token")
        assert stage.api.requests == []


async def test_two_authorization_fields_never_pass() -> None:
    async with set_up() as stage:
        signature = await stage.publish(signed())
        got = await stage.fetch(f"Bearer {signature}", headers={"Authorization": f"Bearer {signature}"})

        assert got.status in (400, 401)
        assert stage.api.requests == []


@pytest.mark.parametrize(
    ("claims", "detail"),
    [
        ({"exp": now() - 1}, "expired"),
        ({"exp": None}, "no expiry"),
        ({"exp": str(now() + 300)}, "not a number"),
        ({"exp": True}, "not a number"),
        ({"nbf": now() + 300}, "not valid yet"),
    ],
)
async def test_an_entry_in_kv_does_not_make_a_token_valid(claims: dict[str, JSON], detail: str) -> None:
    async with set_up() as stage:
        got = await stage.fetch(f"Bearer {await stage.publish(signed(claims))}")

        assert is_refused(got, error="invalid_token")
        assert detail in str(got.problem["detail"])
        assert stage.api.requests == []


async def test_a_token_works_until_the_second_of_its_expiry_and_then_no_more() -> None:
    clock = MovableClock()
    async with set_up(clock=clock) as stage:
        signature = await stage.publish(signed({"exp": clock.now() + 61}))  # the entry itself stays for ever

        clock.advance(60)
        assert (await stage.fetch(f"Bearer {signature}")).status == 200
        clock.advance(1)
        assert is_refused(await stage.fetch(f"Bearer {signature}"), error="invalid_token")


async def test_the_leeway_is_a_setting() -> None:
    async with set_up({"CLOCK_LEEWAY_SECONDS": 60}) as stage:
        assert (await stage.fetch(f"Bearer {await stage.publish(signed({'exp': now() - 30}))}")).status == 200


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        "a.b.c",
        "a.e30\r\nX-Admin: 1",
        " eyJhbGciOiJSUzI1NiJ9.e30",
        "eyJhbGciOiJSUzI1NiJ9.e31",
        "eyJhbGciOiJSUzI1NiJ9.bm90IGpzb24",
        "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjEsImV4cCI6OTk5OTk5OTk5OX0",
        "x" * 20_000,
    ],
)
async def test_a_poisoned_entry_is_a_miss_and_an_alarm(value: str, caplog: pytest.LogCaptureFixture) -> None:
    async with set_up() as stage:
        await stage.put("sig4616", value)
        got = await stage.fetch("Bearer sig4616")

        assert is_refused(got, error="invalid_token")
        assert got.problem["detail"] == "The access token is not known"
        assert stage.api.requests == []
        key = tokens.key_of("sig4616")
        assert "ALARM" in caplog.text
        assert key[:22] in caplog.text
        assert key not in caplog.text
        assert "sig4616" not in caplog.text


async def test_a_revoked_token_is_refused_at_once() -> None:
    async with set_up() as stage:
        signature = await stage.publish(signed())
        assert (await stage.fetch(f"Bearer {signature}")).status == 200
        await stage.tokens.delete(tokens.key_of(signature))

        assert is_refused(await stage.fetch(f"Bearer {signature}"), error="invalid_token")


class _BrokenStore(MemoryStore):
    async def get(self, namespace_id: str, key: str, *, now: int) -> Entry | None:
        raise StoreError("disk on fire")


async def test_without_kv_nothing_passes() -> None:
    async with set_up(store=_BrokenStore()) as stage:
        got = await stage.fetch("Bearer sig4616")

        assert got.status == 503
        assert got.headers.get("retry-after") == "1"
        assert b"disk" not in got.body
        assert stage.api.requests == []


@pytest.mark.parametrize(
    "name",
    ["Cf-Access-Jwt-Assertion", "X-Auth-User", "X_Auth_User", "X-Forwarded-User", "Forwarded", "TE", "Upgrade"],
)
async def test_fields_that_a_client_may_not_set_do_not_reach_the_api(name: str) -> None:
    async with set_up() as stage:
        await stage.fetch(f"Bearer {await stage.publish(signed())}", headers={name: "admin"})

        assert not stage.api.requests[0].headers.has(name)


async def test_what_connection_names_goes_no_further() -> None:
    async with set_up() as stage:
        whole = signed()
        await stage.fetch(f"Bearer {await stage.publish(whole)}", headers={"Connection": "close, x-b3", "X-B3": "1"})

        assert stage.api.authorizations == [f"Bearer {whole}"]
        assert not stage.api.requests[0].headers.has("x-b3")


async def test_a_connection_field_cannot_make_a_request_pass_without_its_token() -> None:
    async with set_up() as stage:
        whole = signed()
        got = await stage.fetch(f"Bearer {await stage.publish(whole)}", headers={"Connection": "authorization"})

        # The edge in front of the script drops what Connection names already, so the script sees no token.
        assert (got.status, stage.api.authorizations) in [(401, []), (200, [f"Bearer {whole}"])]


async def test_forwarding_fields_are_what_the_edge_knows() -> None:
    async with set_up() as stage:
        await stage.fetch(f"Bearer {await stage.publish(signed())}", headers={"X-Forwarded-For": "10.0.0.1"})

        sent = stage.api.requests[0].headers
        assert sent.get("x-forwarded-for") == "192.0.2.1"
        assert (sent.get("x-forwarded-proto"), sent.get("x-forwarded-host")) == ("https", "api.example.com")


async def test_a_redirect_of_the_api_goes_to_the_client_unfollowed() -> None:
    async with set_up() as stage:
        stage.api.answer = lambda request: Response(302, Headers({"location": "https://evil.example/"}))
        got = await stage.fetch(f"Bearer {await stage.publish(signed())}")

        assert (got.status, got.headers.get("location")) == (302, "https://evil.example/")
        assert len(stage.api.requests) == 1
        assert stage.internet.requests == []


async def test_the_answer_tells_nothing_of_the_joined_token() -> None:
    async with set_up() as stage:
        whole = signed()

        def refuse(request: Request) -> Response:
            told = f'Bearer error="invalid_token", error_description="{request.headers.get("authorization")}"'
            return Response(401, Headers({"www-authenticate": told}), b"no")

        stage.api.answer = refuse
        got = await stage.fetch(f"Bearer {await stage.publish(whole)}")

        assert got.body == b"no"
        assert challenge(got)["error"] == "invalid_token"
        for part in whole.split("."):
            assert all(part not in value for _, value in got.headers)
        assert got.headers.get("cache-control") == "no-store"


async def test_a_shared_cache_keeps_the_answers_of_clients_apart() -> None:
    async with set_up() as stage:
        kept = Headers([("cache-control", "public, max-age=60"), ("set-cookie", "a=1"), ("set-cookie", "b=2")])
        stage.api.answer = lambda request: Response(200, kept.copy(), b"fine")
        got = await stage.fetch(f"Bearer {await stage.publish(signed())}")

        assert got.headers.get("vary") == "Authorization"
        assert got.headers.get_set_cookie() == ["a=1", "b=2"]
        assert got.body == b"fine"


async def test_public_paths_pass_without_a_token() -> None:
    async with set_up({"PUBLIC_PATHS": "/health, /.well-known/*, OPTIONS /*"}) as stage:
        for method, path in (("GET", "/health"), ("GET", "/.well-known/jwks.json"), ("OPTIONS", "/orders")):
            got = await stage.fetch("Basic eDp5", f"https://api.example.com{path}", method=method)
            assert got.status == 200
        assert stage.api.authorizations == ["Basic eDp5"] * 3
        for path in ("/orders", "/health/x", "/.well-known/..%2forders", "/.well-known/..;/orders"):
            assert (await stage.fetch(None, f"https://api.example.com{path}")).status == 401
        assert len(stage.api.requests) == 3


async def test_whole_tokens_pass_only_on_their_paths_and_only_while_they_are_valid() -> None:
    async with set_up({"JWT_PATHS": ["/internal/*"]}) as stage:
        whole, inside = signed(), "https://api.example.com/internal/x"

        assert (await stage.fetch(f"Bearer {whole}", inside)).status == 200
        assert stage.api.authorizations == [f"Bearer {whole}"]
        assert (await stage.fetch(f"Bearer {whole}")).status == 401
        assert (await stage.fetch(f"Bearer {signed({'exp': 1})}", inside)).status == 401
        assert (await stage.fetch("Bearer a.b.c", inside)).status == 401
        assert (await stage.fetch(f"Bearer {await stage.publish(whole)}", inside)).status == 200


async def test_a_page_can_read_errors_and_its_preflight_passes() -> None:
    async with set_up({"CORS_ORIGINS": APP}) as stage:
        refused = await stage.fetch(None, headers={"Origin": APP})
        assert refused.status == 401
        assert refused.headers.get("access-control-allow-origin") == APP
        assert "WWW-Authenticate" in (refused.headers.get("access-control-expose-headers") or "")

        asked = {
            "Origin": APP,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization",
        }
        preflight = await stage.fetch(None, method="OPTIONS", headers=asked)
        assert preflight.status == 204
        assert preflight.headers.get("access-control-allow-methods") == "PUT"
        assert preflight.headers.get("access-control-allow-headers") == "authorization"

        got = await stage.fetch(f"Bearer {await stage.publish(signed())}", headers={"Origin": APP})
        assert got.headers.get("access-control-allow-origin") == APP


async def test_a_page_of_another_origin_can_read_nothing() -> None:
    async with set_up({"CORS_ORIGINS": APP}) as stage:
        other = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}

        for method in ("GET", "OPTIONS"):
            got = await stage.fetch(None, method=method, headers=other)
            assert got.status in (401, 403)
            assert got.headers.get("access-control-allow-origin") is None


async def test_an_unknown_method_is_no_error_of_the_gateway() -> None:
    async with set_up({"CORS_ORIGINS": APP, "PUBLIC_PATHS": "/health"}) as stage:
        headers = {"Origin": APP, "Access-Control-Request-Method": "GET"}

        assert (await stage.fetch(None, method="BREW", headers=headers)).status == 401
