"""What both workers store: found again, used once, ended at once, and undone if a store fails half-way."""

import asyncio
import json
from dataclasses import replace

import pytest

from issuer import clients, records, refresh_tokens, users
from issuer.digests import digest
from issuer.records import AccessToken, Code, Family, GrantEntry
from issuer.storage import IssuerStorage
from issuer.store_bindings import Unavailable
from tests.scripts.oauth.auth_stage import CALLBACK
from tests.scripts.oauth.in_memory import MemoryAtomic, Stores, ann, token_settings
from tests.scripts.oauth.token_stage import API, START

KNOWN = token_settings()
CODE = Code("shop", "u_ann", "grant", CALLBACK, True, ("openid",), START + 60, START)
ACCESS = AccessToken(
    *("shop", "u_ann", ("openid",), (API,), "split", "j", START, START + 600),
    user_id="u_ann",
    grant_id="grant",
    publish_key="split-key",
    epoch=".",
)
FAMILY = Family(
    *("grant", "shop", "u_ann", ("openid",), (), "seal", digest("token-1"), START, START, START),
    expires_at=START + 1000,
    absolute_expires_at=START + 5000,
    epoch=".",
)


@pytest.fixture(params=["atomic", "kv"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """With the binding ATOMIC, and without it."""
    return Stores(atomic=MemoryAtomic() if request.param == "atomic" else None)


@pytest.fixture
def storage(stores: Stores) -> IssuerStorage:
    return stores.storage(KNOWN)


async def test_a_client_is_found_in_the_configuration_and_in_kv(stores: Stores, storage: IssuerStorage) -> None:
    record = {"client_id": "kv-shop", "token_endpoint_auth_method": "none", "redirect_uris": [CALLBACK]}
    stores.users.entries[clients.key("kv-shop")] = json.dumps(record)

    assert await storage.client("shop") is KNOWN.clients["shop"]
    assert (found := await storage.client("kv-shop")) is not None
    assert found.redirect_uris == (CALLBACK,)
    assert await storage.client("other") is None


@pytest.mark.parametrize(
    "record",
    [
        {"client_id": "another"},
        {"client_id": "bad", "scope": "unknown"},
        {"client_id": "bad", "unknown": 1},
        [],
        "no object",
    ],
)
async def test_a_record_that_is_not_this_clients_is_not_used(record: object) -> None:
    stores = Stores()
    valid = {"token_endpoint_auth_method": "none", "redirect_uris": [CALLBACK]}
    stores.users.entries[clients.key("bad")] = json.dumps(valid | record if isinstance(record, dict) else record)

    assert await stores.storage(KNOWN).client("bad") is None


async def test_an_id_that_no_client_has_is_not_looked_up() -> None:
    stores = Stores()

    assert await stores.storage(KNOWN).client("a" * 257) is None
    assert stores.users.calls == []


async def test_a_user_is_found_by_address_and_by_id(stores: Stores, storage: IssuerStorage) -> None:
    user = stores.add(ann())

    assert await storage.user_by_email("ANN@Example.com") == user
    assert await storage.user_by_id(user.id) == user
    assert await storage.user_by_email("bob@example.com") is None
    assert await storage.user_by_id("u_bob") is None


async def test_every_address_costs_the_same_reads() -> None:
    stores = Stores()
    stores.add(ann())
    storage = stores.storage(KNOWN)
    counts = []
    for email in ("ann@example.com", "bob@example.com"):
        stores.users.calls.clear()
        await storage.renewed_password(await storage.user_by_email(email))
        counts.append(len(stores.users.calls))

    assert counts[0] == counts[1]


async def test_an_id_leads_to_its_own_user_only(stores: Stores, storage: IssuerStorage) -> None:
    user = stores.add(ann())
    stores.users.entries[users.id_key("u_bob")] = users.key(user.email)

    assert await storage.user_by_id("u_bob") is None


async def test_an_address_is_taken_once(storage: IssuerStorage) -> None:
    one, other = ann(), ann(name="Another")

    assert await storage.add_user(one)
    assert not await storage.add_user(other)
    assert await storage.user_by_id(one.id) == one
    assert await storage.user_by_id(other.id) is None


async def test_of_many_at_one_moment_one_gets_the_address() -> None:
    storage = Stores().storage(KNOWN)

    assert sum(await asyncio.gather(*(storage.add_user(ann()) for _ in range(10)))) == 1


async def test_an_address_is_free_again_if_the_user_could_not_be_stored() -> None:
    stores = Stores()
    stores.users.broken.add("put")
    storage = stores.storage(KNOWN)
    with pytest.raises(Unavailable):
        await storage.add_user(ann())

    stores.users.broken.clear()

    assert await storage.add_user(ann())


async def test_a_renewed_hash_is_used_until_the_password_changes(stores: Stores, storage: IssuerStorage) -> None:
    user = stores.add(ann())
    renewed = replace(user).password
    await storage.renew_password(user, renewed)

    assert await storage.renewed_password(user) == renewed
    assert users.renewed_key(user.id) in stores.users.entries
    assert json.loads(stores.users.entries[users.key(user.email)])["password"] == user.password


async def test_everything_of_a_user_is_void_after_a_mark(stores: Stores, storage: IssuerStorage) -> None:
    epoch = await storage.epoch("u_ann")
    assert not await storage.is_void("u_ann", epoch)
    await storage.put_access("text", replace(ACCESS, grant_id=None, epoch=epoch), now=START)

    await storage.end_all("u_ann", now=START)

    assert await storage.is_void("u_ann", epoch)
    assert not await storage.is_void("u_bob", await storage.epoch("u_bob"))
    assert not await storage.is_void(None, "")  # a client's own token
    assert await storage.access("text") is None


async def test_ending_everything_takes_split_tokens_from_the_gateway(stores: Stores, storage: IssuerStorage) -> None:
    stores.split.entries["split-key"] = "header.payload"
    await storage.put_grant(GrantEntry("grant", "shop", "u_ann", (), START, START + 1000), now=START)
    await storage.put_access("text", ACCESS, now=START)

    await storage.end_all("u_ann", now=START)

    assert stores.split.entries == {}
    assert await storage.grants("u_ann") == []


async def test_a_code_is_used_once(storage: IssuerStorage) -> None:
    await storage.put_code("code", CODE)
    assert await storage.code("code") == CODE

    assert await storage.consume_code("code", CODE) is True
    assert await storage.consume_code("code", CODE) is False
    assert await storage.code("code") == replace(CODE, used=True)


async def test_of_many_uses_at_one_moment_one_counts() -> None:
    storage = Stores().storage(KNOWN)
    await storage.put_code("code", CODE)

    assert sum(await asyncio.gather(*(storage.consume_code("code", CODE) for _ in range(20)))) == 1


async def test_a_code_that_gave_no_token_can_be_used_again(storage: IssuerStorage) -> None:
    await storage.put_code("code", CODE)
    await storage.consume_code("code", CODE)

    await storage.release_code("code", CODE)

    assert await storage.consume_code("code", CODE) is True


async def test_codes_and_tokens_are_stored_as_digests(stores: Stores, storage: IssuerStorage) -> None:
    await storage.put_code("the-code", CODE)
    await storage.put_access("the-token", ACCESS, now=START)

    text = json.dumps([stores.codes.entries, stores.tokens.entries])
    assert "the-code" not in text
    assert "the-token" not in text


async def test_an_entry_lives_as_long_as_kv_allows_at_least(stores: Stores, storage: IssuerStorage) -> None:
    await storage.put_access("text", ACCESS, now=START + 599)

    assert stores.tokens.options[records.access_key("text")] == {"expirationTtl": 60}


async def test_a_dropped_token_is_gone_from_the_gateway_first(stores: Stores, storage: IssuerStorage) -> None:
    stores.split.entries["split-key"] = "header.payload"
    await storage.put_access("text", ACCESS, now=START)
    stores.tokens.broken.add("delete")

    with pytest.raises(Unavailable):
        await storage.drop_access("text", ACCESS)

    assert stores.split.entries == {}


@pytest.mark.parametrize("grant_id", ["grant", None])
async def test_nothing_is_left_of_a_dropped_token(stores: Stores, storage: IssuerStorage, grant_id: str | None) -> None:
    record = replace(ACCESS, grant_id=grant_id)
    await storage.put_access("text", record, now=START)
    assert len(stores.tokens.entries) == (1 if grant_id is None else 2)  # its record, and its place in the grant

    await storage.drop_access("text", record)

    assert stores.tokens.entries == {}


async def test_a_refresh_token_is_replaced_once(storage: IssuerStorage) -> None:
    following = refresh_tokens.rotate(FAMILY, "token-1", "token-2", now=START + 5, idle_seconds=1000)
    await storage.start_family(FAMILY, now=START)
    assert await storage.family("grant") == FAMILY

    assert await storage.rotate(FAMILY, following, now=START + 5) is True
    assert await storage.rotate(FAMILY, following, now=START + 5) is False


async def test_a_revoked_grant_stays_revoked(stores: Stores, storage: IssuerStorage) -> None:
    await storage.start_family(FAMILY, now=START)
    await storage.put_access("text", ACCESS, now=START)

    await storage.revoke("grant", "u_ann")
    await storage.put_family(FAMILY, now=START)  # by a request that began before

    assert await storage.family("grant") is None
    assert await storage.access("text") is None
    assert await storage.is_revoked("grant")
    if stores.atomic is not None:
        assert await storage.rotate(FAMILY, replace(FAMILY, current="x"), now=START) is False
        await storage.start_family(FAMILY, now=START)
        assert stores.atomic.entries["refresh:grant"] == refresh_tokens.REVOKED


async def test_revoking_outlasts_other_writers_or_says_that_it_could_not() -> None:
    stores = Stores(atomic=MemoryAtomic(interruptions=5))
    storage = stores.storage(KNOWN)
    await storage.start_family(FAMILY, now=START)
    await storage.revoke("grant", "u_ann")
    assert stores.atomic is not None
    assert stores.atomic.entries["refresh:grant"] == refresh_tokens.REVOKED

    other = Stores(atomic=MemoryAtomic(interruptions=1000))
    await other.storage(KNOWN).start_family(FAMILY, now=START)
    with pytest.raises(Unavailable, match="changed 20 times"):
        await other.storage(KNOWN).revoke("grant", "u_ann")


async def test_a_family_from_before_the_binding_keeps_its_tokens() -> None:
    stores = Stores(atomic=None)
    await stores.storage(KNOWN).start_family(FAMILY, now=START)
    stores.atomic = MemoryAtomic()

    assert await stores.storage(KNOWN).family("grant") == FAMILY
    assert stores.atomic.entries == {"refresh:grant": refresh_tokens.state_of(FAMILY)}


async def test_a_name_is_new_once(storage: IssuerStorage) -> None:
    assert await storage.is_new("jti-1", 60) is True
    assert await storage.is_new("jti-1", 60) is False
    assert await storage.is_new("jti-2", 60) is True
