"""Publishing a split token: byte for byte as Curity's plugin does, before the answer, or not at all."""

import base64
import hashlib

import pytest

from edgeworker.config import JSON
from tests.scripts.oauth.test_authorization_code_grant import refused
from tests.scripts.oauth.token_stage import START, Stage, basic, bearer, claims, set_up, variables

API_BASE = "https://api.cloudflare.com/client/v4"
VALUES = f"{API_BASE}/accounts/acc1/storage/kv/namespaces/ns1/values/"
OVER_API: dict[str, JSON] = {
    "PUBLISH": "api",
    "PUBLISH_ACCOUNT_ID": "acc1",
    "PUBLISH_NAMESPACE_ID": "ns1",
    "PUBLISH_API_TOKEN": "api-token",
}
OWN: dict[str, str | None] = {"grant_type": "client_credentials"}


def own_token(stage: Stage) -> str:
    return str(stage.post("/token", OWN, basic("shop")).json(dict)["access_token"])


def key_of(token: str) -> str:
    return base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()


def test_the_call_of_the_api_is_the_plugins() -> None:
    with set_up(variables(**OVER_API), split=False) as stage:
        stage.edge.origin.on(f"{API_BASE}/*", json={"success": True})
        tokens = [own_token(stage) for _ in range(40)]

        asked = stage.edge.origin.requests
        assert [request.method for request in asked] == ["PUT"] * 40
        for token, request in zip(tokens, asked, strict=True):
            assert request.url == f"{VALUES}{key_of(token)}?expiration={START + 600 + 60}"
            assert request.headers.get("authorization") == "Bearer api-token"
            assert claims(f"{request.text}.{token}")["sub"] == "shop"
        keys = "".join(key_of(token) for token in tokens)
        assert "/" in keys
        assert "+" in keys  # neither is escaped


def test_revoking_deletes_over_the_api_and_what_is_gone_already_is_fine() -> None:
    with set_up(variables(**OVER_API), split=False) as stage:
        stage.edge.origin.on(f"{API_BASE}/*", json={"success": True})
        token = own_token(stage)
        for status in (200, 404):
            stage.edge.origin.clear()
            stage.edge.origin.on(f"{API_BASE}/*", json={}, status=status)
            assert stage.post("/revoke", {"token": token}, basic("shop")).status == 200
            if status == 200:
                (request,) = stage.edge.origin.requests
                assert (request.method, request.url) == ("DELETE", VALUES + key_of(token))


def test_a_publish_that_fails_twice_is_tried_again() -> None:
    with set_up(variables(**OVER_API), split=False) as stage:
        stage.edge.origin.on(f"{API_BASE}/*", json={"success": True})
        stage.edge.origin.on(f"{API_BASE}/*", status=500, times=1)
        stage.edge.origin.fail(f"{API_BASE}/*", 520, times=1)

        assert stage.post("/token", OWN, basic("shop")).status == 200
        assert len({request.url for request in stage.edge.origin.requests}) == 1


@pytest.mark.parametrize("status", [500, 403, 302, 201])
def test_a_token_that_is_not_published_is_not_given_out(status: int) -> None:
    with set_up(variables(**OVER_API), split=False) as stage:
        stage.edge.origin.on(f"{API_BASE}/*", status=status, headers={"Location": "https://evil.example/"})
        reply = stage.post("/token", OWN, basic("shop"))

        assert refused(reply, "temporarily_unavailable", 503)
        assert reply.headers.get("retry-after") == "5"
        assert len([request for request in stage.edge.origin.requests if request.method == "PUT"]) == 3
        assert stage.edge.origin.refused == []  # the redirect was not followed with the API token
        assert stage.edge.kv("00000000000000000000000000000003").keys() == []
        assert "api-token" not in "\n".join(line.text for line in stage.edge.logs)


def test_what_could_not_be_published_is_not_used_up() -> None:
    with set_up(variables(**OVER_API), split=False) as stage:
        stage.edge.origin.on(f"{API_BASE}/*", json={"success": True})
        code = stage.code()
        stage.edge.origin.on(f"{API_BASE}/*", status=500, times=4)  # three tries, and the withdrawal
        assert refused(stage.exchange(code), "temporarily_unavailable", 503)
        answer = stage.exchange(code)
        assert answer.status == 200

        token = answer.json(dict)["refresh_token"]
        stage.edge.origin.on(f"{API_BASE}/*", status=500, times=4)
        assert refused(stage.refresh(token), "temporarily_unavailable", 503)
        again = stage.refresh(token)
        assert again.status == 200
        assert stage.refresh(again.json(dict)["refresh_token"]).status == 200


def test_the_entry_outlives_the_token_by_the_margin_and_the_gateway_goes_by_exp() -> None:
    with set_up(variables(PUBLISH_MARGIN_SECONDS=30)) as stage:
        token = own_token(stage)

        stage.clock.advance(599)
        assert stage.gateway(token) == 200
        stage.clock.advance(1)
        assert stage.gateway(token) == 401
        assert stage.edge.kv("SPLIT").keys() == [key_of(token)]
        stage.clock.advance(30)
        assert stage.edge.kv("SPLIT").keys() == []


def test_off_publishes_nothing() -> None:
    with set_up(variables(PUBLISH="off"), split=False) as stage:
        token = own_token(stage)

        assert stage.introspect(token)["active"] is True
        assert stage.gateway(token) == 401
        assert stage.edge.get("https://auth.example.com/userinfo", headers=bearer(token)).status == 403


def test_the_stores_of_issuer_and_gateway_hold_no_token_that_can_be_used() -> None:
    with set_up() as stage:
        answer = stage.tokens()
        stage.gateway(answer["access_token"])
        whole = (stage.edge.origin.requests[-1].headers.get("authorization") or "").removeprefix("Bearer ")

        stored = stage.stored()
        assert whole.rpartition(".")[0] in stored
        assert str(answer["access_token"]) not in stored
