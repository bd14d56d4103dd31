"""The access token of a request: only from the Authorization field, and only while it stands for something."""

from dataclasses import replace

import pytest

from issuer import bearer_token, records
from issuer.json_responses import OAuthError
from issuer.records import AccessToken
from tests.scripts.oauth.in_memory import Stores, ann, endpoint_context, token_settings
from tests.scripts.oauth.token_stage import API, SHOP, START

TOKEN = "tok-1"
KNOWN = token_settings()


async def stored(**changes: object) -> Stores:
    """A user and an access token of hers, but for `changes` of its record."""
    stores = Stores()
    user = stores.add(ann())
    record = AccessToken(
        client_id="shop",
        sub=user.id,
        scope=("openid", "email"),
        audience=(API,),
        format="opaque",
        jti="j",
        issued_at=START,
        expires_at=START + 600,
        user_id=user.id,
        grant_id="grant",
        epoch=".",
    )
    await stores.storage(KNOWN).put_access(TOKEN, replace(record, **changes), now=START)  # type: ignore[arg-type]
    return stores


async def refused(
    stores: Stores, authorization: str | None = f"Bearer {TOKEN}", *, scope: str | None = None, now: int = START
) -> tuple[str | None, int]:
    context = endpoint_context(stores, known=KNOWN, authorization=authorization, now=now)
    with pytest.raises(OAuthError) as raised:
        await bearer_token.require_user(context, scope)
    assert raised.value.challenge == "Bearer"
    return raised.value.error, raised.value.status


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_token_names_its_user(scheme: str) -> None:
    stores = await stored()
    context = endpoint_context(stores, known=KNOWN, authorization=f"{scheme}  {TOKEN}")

    record, user = await bearer_token.require_user(context, "openid")

    assert (record.client_id, user.email) == ("shop", "ann@example.com")


@pytest.mark.parametrize("authorization", [None, "", "Basic YTpi", "Bearerx tok-1", TOKEN])
async def test_without_credentials_there_is_no_error_code(authorization: str | None) -> None:
    """RFC 6750 section 3.1."""
    assert await refused(await stored(), authorization) == (None, 401)


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer ", f"Bearer {TOKEN},", f"Bearer {TOKEN} x", "Bearer other", "Bearer " + "a" * 8193, "Bearer é"],
)
async def test_another_token_is_not_valid(authorization: str) -> None:
    assert await refused(await stored(), authorization) == ("invalid_token", 401)


async def test_a_token_is_over_at_its_second() -> None:
    stores = await stored()
    context = endpoint_context(stores, known=KNOWN, now=START + 599)

    assert await bearer_token.find_valid(context, TOKEN) is not None
    assert await refused(stores, now=START + 600) == ("invalid_token", 401)


@pytest.mark.parametrize(
    ("changes", "scope", "error"),
    [
        ({"client_id": "unknown"}, None, ("invalid_token", 401)),
        ({"audience": ("https://gone.example",)}, None, ("invalid_token", 401)),
        ({"epoch": "ended.before"}, None, None),  # of a mark that is no more
        ({"user_id": "u_" + "x" * 22}, None, ("invalid_token", 401)),
        ({"user_id": None, "sub": "shop"}, None, ("insufficient_scope", 403)),
        ({"scope": ("email",)}, "openid", ("insufficient_scope", 403)),
    ],
    ids=repr,
)
async def test_what_a_token_stands_for_decides(
    changes: dict[str, object], scope: str | None, error: tuple[str, int] | None
) -> None:
    stores = await stored(**changes)

    if error is None:
        context = endpoint_context(stores, known=KNOWN, authorization=f"Bearer {TOKEN}")
        await bearer_token.require_user(context, scope)
    else:
        assert await refused(stores, scope=scope) == error


async def test_a_revoked_grant_a_mark_and_a_disabled_user_end_it() -> None:
    revoked, marked, disabled = [await stored() for _ in range(3)]
    revoked.tokens.entries[records.revoked_key("grant")] = "1"
    marked.users.entries["end:" + next(key for key in marked.users.entries if key.startswith("i:"))[2:]] = "mark"
    disabled.add(ann(disabled=True, id=next(key for key in disabled.users.entries if key.startswith("i:"))[2:]))

    for stores in (revoked, marked, disabled):
        assert await refused(stores) == ("invalid_token", 401)


async def test_what_was_taken_from_the_client_is_not_in_the_token_any_more() -> None:
    stores = await stored(audience=(API, "https://gone.example"))
    known = token_settings(CLIENTS=[{**SHOP, "scope": "openid"}])
    context = endpoint_context(stores, known=known, authorization=f"Bearer {TOKEN}")

    found = await bearer_token.find_valid(context, TOKEN)

    assert found is not None
    assert (found.scope, found.audience) == (("openid",), (API,))


async def test_a_disabled_clients_tokens_are_not_valid() -> None:
    context = endpoint_context(await stored(), known=token_settings(CLIENTS=[{**SHOP, "disabled": True}]))

    assert await bearer_token.find_valid(context, TOKEN) is None
