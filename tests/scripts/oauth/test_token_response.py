"""Issuing: stored and published before the answer, and undone if one of them fails."""

import json
from dataclasses import replace

import pytest

from edgeworker.config import JSON
from issuer import clients, records, token_response
from issuer.client_credentials_grant import issue_to_client
from issuer.endpoint_response import EndpointResponse
from issuer.store_bindings import Unavailable
from issuer.token_issuance import AuthorizedAccess
from issuer.token_request import TokenRequest
from tests.scripts.oauth.in_memory import Stores, ann, document, field_of, token_request, token_settings
from tests.scripts.oauth.token_stage import API, SHOP, START

ANN = ann()


def access(request: TokenRequest, *scope: str, epoch: str = ".") -> AuthorizedAccess:
    return AuthorizedAccess(
        request.client, ANN.id, scope, (API,), START, user_id=ANN.id, grant_id="grant", auth_time=START, epoch=epoch
    )


async def test_a_split_token_is_published_for_the_gateway() -> None:
    stores = Stores()
    request = token_request(stores, "")

    issued = await token_response.issue(request, access(request))

    assert issued.record.publish_key is not None
    assert stores.split.entries == {issued.record.publish_key: issued.published}
    # 60 seconds longer than the token: the gateway decides by `exp`
    assert stores.split.options[issued.record.publish_key] == {"expiration": START + 600 + 60}
    assert await request.storage.access(issued.text) == issued.record


async def test_an_opaque_token_is_stored_only() -> None:
    stores = Stores()
    request = token_request(stores, "", "opaque-shop")

    await token_response.issue(request, access(request))

    assert stores.split.entries == {}


async def test_nothing_is_left_of_a_token_that_could_not_be_published() -> None:
    stores = Stores()
    stores.split.broken.add("put")
    request = token_request(stores, "")

    with pytest.raises(Unavailable):
        await token_response.issue(request, access(request))

    assert stores.tokens.entries == {}


async def test_the_first_error_is_the_one_that_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    stores = Stores()
    stores.split.broken |= {"put", "delete"}
    request = token_request(stores, "")

    with pytest.raises(Unavailable, match=r"SPLIT\.put"):
        await token_response.issue(request, access(request))

    assert stores.tokens.entries == {}
    assert "could not be undone: publishing: SPLIT.delete failed" in caplog.text


async def test_a_grant_that_ended_meanwhile_takes_its_token_along() -> None:
    stores = Stores()
    request = token_request(stores, "")
    kept = await token_response.issue(request, access(request))
    await token_response.take_back_if_ended(request, kept)
    assert await request.storage.access(kept.text) is not None

    stores.tokens.entries[records.revoked_key("grant")] = "1"
    await token_response.take_back_if_ended(request, kept)

    del stores.tokens.entries[records.revoked_key("grant")]
    assert await request.storage.access(kept.text) is None
    assert stores.split.entries == {}


@pytest.mark.parametrize("change", [{"disabled": True}, {}], ids=["disabled", "deleted"])
async def test_a_client_that_ended_meanwhile_gets_no_token_that_stays(change: dict[str, JSON]) -> None:
    stores, configured = Stores(), token_settings(CLIENTS=[])
    request = replace(token_request(stores, ""), storage=stores.storage(configured))
    issued = await token_response.issue(request, access(request))
    if change:
        stores.users.entries[clients.key("shop")] = json.dumps({**SHOP, **change})

    await token_response.take_back_if_ended(request, issued)

    assert stores.split.entries == {}


async def test_a_token_of_the_clients_own_is_taken_back_too() -> None:
    """The client is disabled between its authentication and the answer."""
    stores = Stores()
    stores.users.entries[clients.key("shop")] = json.dumps({**SHOP, "disabled": True})
    request = replace(token_request(stores, ""), storage=stores.storage(token_settings(CLIENTS=[])))

    await issue_to_client(request)

    assert stores.split.entries == {}


async def test_a_mark_that_was_set_meanwhile_takes_the_token_along() -> None:
    stores = Stores()
    request = token_request(stores, "")
    issued = await token_response.issue(request, access(request))
    stores.users.entries[f"end:{ANN.id}"] = "mark"

    await token_response.take_back_if_ended(request, issued)

    assert stores.split.entries == {}


async def answered(*scope: str, refresh_token: str | None = None) -> EndpointResponse:
    request = token_request(Stores(), "", "opaque-shop")
    given = access(request, *scope)
    issued = await token_response.issue(request, given)
    return token_response.token_response(
        request, given, issued, user=ANN, refresh_token=refresh_token, nonce="n" if "openid" in scope else None
    )


async def test_the_response_is_that_of_rfc_6749_and_never_stored() -> None:
    """RFC 6749 section 5.1."""
    response = await answered("orders.read", refresh_token="r")

    found = document(response)
    assert set(found) == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
    assert (found["token_type"], found["expires_in"], found["refresh_token"]) == ("Bearer", 600, "r")
    assert field_of(response, "cache-control") == "no-store"


async def test_an_id_token_comes_with_the_scope_openid() -> None:
    assert "id_token" in document(await answered("openid"))
    assert "id_token" not in document(await answered("orders.read"))


async def test_an_empty_scope_is_left_out() -> None:
    """RFC 6749 section 3.3: a scope has at least one name."""
    assert "scope" not in document(await answered())
