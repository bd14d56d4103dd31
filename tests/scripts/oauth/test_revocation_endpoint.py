"""/revoke: what the client itself was given is over; anything else is left alone and told the same."""

from dataclasses import replace

import pytest

from issuer import refresh_tokens
from issuer.digests import digest
from issuer.form_parameters import Parameters
from issuer.introspection_endpoint import MAX_TOKEN_LENGTH
from issuer.json_responses import OAuthError
from issuer.records import Family
from issuer.revocation_endpoint import revoke
from tests.scripts.oauth.in_memory import Stores, document, endpoint_context, parameters
from tests.scripts.oauth.test_bearer_token import KNOWN, TOKEN, stored
from tests.scripts.oauth.token_stage import START

GRANT, SEAL = refresh_tokens.new_grant_id(), refresh_tokens.new_seal()
REFRESH = refresh_tokens.new_token(GRANT, SEAL)
FAMILY = Family(
    *(GRANT, "shop", "u_ann", ("openid",), (), SEAL, digest(REFRESH), START, START, START),
    expires_at=START + 1000,
    absolute_expires_at=START + 5000,
)


async def with_tokens() -> Stores:
    """An access token, and the refresh token of the same grant."""
    stores = await stored(grant_id=GRANT)
    await stores.storage(KNOWN).start_family(FAMILY, now=START)
    return stores


async def send(stores: Stores, token: str, client_id: str = "shop") -> None:
    """RFC 7009 section 2.2: 200 also for a token that is unknown."""
    context = endpoint_context(stores, known=KNOWN, method="POST", path="/revoke")
    response = await revoke(context, parameters(token=token), KNOWN.clients[client_id])
    assert (response.status, document(response)) == (200, {})


async def valid(stores: Stores) -> tuple[bool, bool]:
    """(the access token, the refresh token)"""
    storage = stores.storage(KNOWN)
    return await storage.access(TOKEN) is not None, await storage.family(GRANT) is not None


async def test_a_refresh_token_ends_its_grant_with_its_access_tokens() -> None:
    """RFC 7009 section 2.1."""
    stores = await with_tokens()
    await send(stores, REFRESH)

    assert await valid(stores) == (False, False)


async def test_an_access_token_ends_alone() -> None:
    stores = await with_tokens()
    await send(stores, TOKEN)

    assert await valid(stores) == (False, True)


@pytest.mark.parametrize(
    "token",
    [
        "unknown",
        "a" * (MAX_TOKEN_LENGTH + 1),
        refresh_tokens.new_token(GRANT, refresh_tokens.new_seal()),  # invented: it names the grant, without its seal
        f"{GRANT}.{'A' * 64}",
    ],
    ids=["unknown", "too long", "another seal", "no seal"],
)
async def test_a_token_that_was_never_given_ends_nothing(token: str) -> None:
    stores = await with_tokens()
    await send(stores, token)

    assert await valid(stores) == (True, True)


@pytest.mark.parametrize("token", ["access", "refresh"])
async def test_another_clients_token_is_left_alone(token: str) -> None:
    stores = await with_tokens()
    await send(stores, TOKEN if token == "access" else REFRESH, "jwt-shop")

    assert await valid(stores) == (True, True)


async def test_a_replaced_refresh_token_ends_the_grant_as_well() -> None:
    stores = await with_tokens()
    newer = refresh_tokens.new_token(GRANT, SEAL)
    following = refresh_tokens.rotate(FAMILY, REFRESH, newer, now=START + 1, idle_seconds=1000)
    assert await stores.storage(KNOWN).rotate(FAMILY, replace(following), now=START + 1)

    await send(stores, REFRESH)

    assert await valid(stores) == (False, False)


async def test_the_token_must_be_named() -> None:
    context = endpoint_context(Stores(), known=KNOWN)
    with pytest.raises(OAuthError, match="The parameter token is missing"):
        await revoke(context, Parameters(), KNOWN.clients["shop"])
