"""The grant authorization_code: what it gives, in which order it checks, and that a code is good once."""

import asyncio
from collections.abc import Iterator

import pytest

from edgeworker.testing import Reply
from issuer import records, token_issuance
from tests.scripts.oauth.auth_stage import CALLBACK, ISSUER, VERIFIER
from tests.scripts.oauth.token_stage import (
    API,
    FORM,
    OTHER_API,
    START,
    TOKENS,
    Stage,
    basic,
    bearer,
    claims,
    exchanged,
    form,
    set_up,
    variables,
)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with set_up() as made:
        yield made


def refused(reply: Reply, error: str, status: int = 400) -> bool:
    assert reply.headers.get("cache-control") == "no-store"
    assert reply.headers.get("content-type") == "application/json"
    assert (reply.status, reply.json(dict)["error"]) == (status, error), reply.text
    return True


def test_a_code_gives_a_split_token_that_the_gateway_joins(stage: Stage) -> None:
    reply = stage.exchange(stage.code())

    assert reply.status == 200, reply.text
    assert reply.headers.get("cache-control") == "no-store"
    assert reply.headers.get("pragma") == "no-cache"
    assert reply.headers.get("set-cookie") is None
    answer = reply.json(dict)
    assert set(answer) == {"access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 600)
    assert answer["scope"] == "openid email orders.read"
    assert "." not in answer["access_token"]
    assert stage.gateway(answer["access_token"]) == 200


def test_the_api_gets_an_access_token_of_rfc_9068(stage: Stage) -> None:
    token = stage.tokens()["access_token"]
    stage.gateway(token)

    whole = (stage.edge.origin.requests[-1].headers.get("authorization") or "").removeprefix("Bearer ")
    found = claims(whole)
    assert found.pop("jti")
    assert found == {
        "iss": ISSUER,
        "sub": stage.ann.id,
        "aud": API,
        "client_id": "shop",
        "iat": START,
        "exp": START + 600,
        "scope": "openid email orders.read",
        "auth_time": START - 5,
        "amr": ["pwd"],
    }


def test_the_id_token_hashes_what_the_client_received(stage: Stage) -> None:
    answer = stage.tokens()

    found = claims(answer["id_token"])
    assert found == {
        "iss": ISSUER,
        "sub": stage.ann.id,
        "aud": "shop",
        "iat": START,
        "exp": START + 600,
        "auth_time": START - 5,
        "nonce": "n-1",
        "amr": ["pwd"],
        "at_hash": token_issuance.at_hash(str(answer["access_token"])),
    }


def test_the_tutorials_hash_is_a_switch() -> None:
    with set_up(variables(COMPAT="curity-tutorial")) as stage:
        answer = stage.tokens()
        stage.gateway(answer["access_token"])

        whole = (stage.edge.origin.requests[-1].headers.get("authorization") or "").removeprefix("Bearer ")
        assert claims(answer["id_token"])["at_hash"] == token_issuance.at_hash(whole)


def test_the_hash_of_the_references() -> None:
    assert token_issuance.at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ"


def test_no_id_token_without_openid(stage: Stage) -> None:
    assert "id_token" not in stage.tokens(scope=("orders.read",))


@pytest.mark.parametrize(("client_id", "alg"), [("jwt-shop", "ES256"), ("shop", "RS256")])
def test_every_format_answers_in_the_same_way(stage: Stage, client_id: str, alg: str) -> None:
    answer = stage.tokens(client_id)

    assert stage.introspect(answer["access_token"], client_id)["active"] is True
    assert claims(answer["id_token"])["at_hash"] == token_issuance.at_hash(str(answer["access_token"]))
    if client_id == "jwt-shop":
        assert claims(answer["access_token"])["aud"] == API
        assert stage.edge.kv("SPLIT").keys() == []


def test_an_opaque_token_says_nothing(stage: Stage) -> None:
    answer = stage.tokens("opaque-shop")

    assert len(str(answer["access_token"])) == 43
    assert stage.edge.kv("SPLIT").keys() == []
    assert stage.edge.get(f"{ISSUER}/userinfo", headers=bearer(answer["access_token"])).status == 200


def test_two_tokens_of_one_second_differ(stage: Stage) -> None:
    assert len({stage.tokens()["access_token"] for _ in range(5)}) == 5


def test_nothing_that_was_given_out_is_in_kv(stage: Stage) -> None:
    code = stage.code()
    answer = stage.exchange(code).json(dict)

    stored = stage.stored()
    for secret in (code, answer["access_token"], answer["refresh_token"], answer["id_token"]):
        assert secret not in stored
    assert records.access_key(answer["access_token"]) in stored


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": VERIFIER[:-1] + "x"}, "invalid_grant"),
        ({"code_verifier": "x" * 42}, "invalid_grant"),
        ({"code_verifier": "x" * 129}, "invalid_grant"),
        ({"code_verifier": VERIFIER + "="}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"redirect_uri": CALLBACK + "/"}, "invalid_grant"),
        ({"redirect_uri": CALLBACK.upper()}, "invalid_grant"),
        ({"resource": "https://unknown.example.com"}, "invalid_target"),
        ({"code": None}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
    ],
)
def test_a_check_that_fails_does_not_use_up_the_code(stage: Stage, changes: dict[str, str | None], error: str) -> None:
    code = stage.code()

    assert refused(stage.exchange(code, **changes), error)
    assert stage.exchange(code).status == 200


def test_a_verifier_without_a_challenge_is_a_downgrade(stage: Stage) -> None:
    assert refused(stage.exchange(stage.code("old", code_challenge=None), "old"), "invalid_grant")
    assert stage.exchange(stage.code("old", code_challenge=None), "old", code_verifier=None).status == 200
    assert refused(stage.exchange(stage.code(code_challenge=None), code_verifier=None), "invalid_grant")


def test_another_client_does_not_affect_the_grant(stage: Stage) -> None:
    code = stage.code()

    assert refused(stage.exchange(code, "jwt-shop"), "invalid_grant")
    answer = stage.exchange(code).json(dict)
    assert refused(stage.exchange(code, "jwt-shop"), "invalid_grant")
    assert stage.introspect(answer["access_token"])["active"] is True


def test_a_code_is_good_until_its_second(stage: Stage) -> None:
    code, late = stage.code(expires_at=START + 30), stage.code(expires_at=START + 30)  # KV keeps both for 60 seconds

    stage.clock.advance(29)
    assert stage.exchange(code).status == 200
    stage.clock.advance(1)
    assert refused(stage.exchange(late), "invalid_grant")
    assert refused(stage.exchange("unknown"), "invalid_grant")
    assert refused(stage.exchange(late[:-1]), "invalid_grant")


def test_a_replay_revokes_what_the_code_gave(stage: Stage) -> None:
    code = stage.code()
    answer = stage.exchange(code).json(dict)
    assert stage.gateway(answer["access_token"]) == 200
    stage.clock.advance(90)  # the code has expired meanwhile

    assert refused(stage.exchange(code), "invalid_grant")

    assert stage.gateway(answer["access_token"]) == 401
    assert stage.introspect(answer["access_token"]) == {"active": False}
    assert refused(stage.refresh(answer["refresh_token"]), "invalid_grant")
    assert stage.edge.kv("SPLIT").keys() == []


def test_fifty_uses_at_once_have_one_success(stage: Stage) -> None:
    code = stage.code()

    async def all_at_once() -> list[Reply]:
        return list(
            await asyncio.gather(
                *(
                    stage.edge.fetch(
                        f"{ISSUER}/token",
                        method="POST",
                        body=form(exchanged(code)),
                        headers={**FORM, **basic("shop")},
                    )
                    for _ in range(50)
                )
            )
        )

    replies = stage.edge.run(all_at_once())

    statuses = [reply.status for reply in replies]
    assert (statuses.count(200), statuses.count(400)) == (1, 49)
    # All others were replays, and a replay revokes.
    answer = next(reply for reply in replies if reply.status == 200).json(dict)
    assert stage.introspect(answer["access_token"]) == {"active": False}
    assert stage.edge.kv("SPLIT").keys() == []


def test_without_atomic_a_code_is_used_once_when_one_comes_after_the_other() -> None:
    with set_up(atomic=False) as stage:
        code = stage.code()

        assert stage.exchange(code).status == 200
        assert refused(stage.exchange(code), "invalid_grant")
        assert any("ATOMIC is not bound" in line.text for line in stage.edge.logs)


def test_a_resource_narrows_the_audience(stage: Stage) -> None:
    code = stage.code(resource=(API, OTHER_API))
    token = stage.exchange(code, resource=OTHER_API).json(dict)["access_token"]

    assert stage.introspect(token)["aud"] == OTHER_API
    both = stage.tokens(resource=(API, OTHER_API))["access_token"]
    assert stage.introspect(both)["aud"] == [API, OTHER_API]
    assert refused(stage.exchange(stage.code(resource=(API,)), resource=OTHER_API), "invalid_target")


def test_a_user_who_is_disabled_or_gone_gets_nothing(stage: Stage) -> None:
    code = stage.code(user_id="u_0123456789012345678901")

    assert refused(stage.exchange(code), "invalid_grant")


def test_a_client_without_the_grant_type_is_refused(stage: Stage) -> None:
    assert refused(stage.exchange(stage.code("api"), "api"), "unauthorized_client")


def test_a_public_client_needs_no_secret_but_pkce(stage: Stage) -> None:
    code = stage.code("app")

    reply = stage.post("/token", {**exchanged(code), "client_id": "app"})

    assert reply.status == 200, reply.text
    assert "refresh_token" in reply.json(dict)


def test_a_grant_that_is_revoked_while_its_token_is_made_keeps_nothing(stage: Stage) -> None:
    """A replay may have marked and emptied the grant before the first use has listed its token."""
    code = stage.code()
    stage.edge.kv(TOKENS).put(records.revoked_key(stage.grants[-1]), "revoked", expiration_ttl=600)

    answer = stage.exchange(code).json(dict)

    assert stage.introspect(answer["access_token"]) == {"active": False}
    assert stage.edge.kv("SPLIT").keys() == []
    assert refused(stage.refresh(answer["refresh_token"]), "invalid_grant")
