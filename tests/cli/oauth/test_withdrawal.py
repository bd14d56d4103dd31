"""Split tokens are taken from the gateway where a user's sessions end, and where a client loses what it had."""

import json
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.host.issuer_scripts import oauth_folder
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from issuer import records, users
from issuer.records import AccessToken, GrantEntry
from tests.cli.oauth.conftest import OAuth

PASSWORD = "correct horse battery"
SCRYPT = ("--hash", "scrypt")


def _configure(project: Path, *, publish: str = "binding", clients: str = "[]") -> None:
    namespaces = ", ".join(
        f'{{ binding = "{name}", id = "{name.lower()}-id" }}' for name in ("USERS", "CODES", "TOKENS", "SPLIT")
    )
    (project / "wrangler.toml").write_text(
        f'name = "w"\nmain = "{oauth_folder()}/src/token_worker.py"\ncompatibility_date = "2026-04-01"\n'
        f'compatibility_flags = ["python_workers"]\nkv_namespaces = [{namespaces}]\n'
        f'[vars]\nISSUER = "https://auth.example.com"\nACCESS_TOKEN_TTL_SECONDS = 300\nPUBLISH = "{publish}"\n'
        f"CLIENTS = {clients}\n[vars.SCOPES]\nopenid = 'Know who you are'\n'orders.read' = 'See your orders'\n"
    )


async def _grant(store: KVStore, user_id: str, grant_id: str, *published: str) -> None:
    tokens, split = (KVNamespace(store, name, SystemClock()) for name in ("tokens-id", "split-id"))
    entry = GrantEntry(grant_id, "shop", user_id, ("openid",), 0, 1)
    await tokens.put(records.grant_key(user_id, grant_id), records.dump(entry))
    await tokens.put(records.member_key(grant_id, "of-a-jwt"), "")
    for key in published:
        await tokens.put(records.member_key(grant_id, f"token-of-{key}"), key)
        await split.put(key, "header.payload")


async def _published(store: KVStore) -> list[str]:
    return [key.name for key in (await KVNamespace(store, "split-id", SystemClock()).list()).keys]


@pytest.mark.parametrize(
    ("command", "stdin"),
    [
        (("end-sessions",), ""),
        (("disable",), ""),
        (("set-password", *SCRYPT), "quite another one\n"),
        (("delete", "--yes"), ""),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
async def test_the_users_split_tokens_are_withdrawn_and_no_others(
    oauth: OAuth, store: KVStore, project: Path, namespace: KVNamespace, command: tuple[str, ...], stdin: str
) -> None:
    _configure(project)
    await oauth("users", "add", "ann@example.com", *SCRYPT, stdin=PASSWORD)
    value = await namespace.get(users.key("ann@example.com"))
    assert value is not None
    ann = users.parse(json.loads(value))
    await _grant(store, ann.id, "g1", "a+/1=", "a2")
    await _grant(store, ann.id, "g2", "a3")
    await _grant(store, "u_bob", "g3", "b1")

    ran = await oauth("users", command[0], "ann@example.com", *command[1:], stdin=stdin)

    assert await _published(store) == ["b1"]
    assert "3 split tokens withdrawn from the gateway" in ran.err
    assert "at most 300 seconds (ACCESS_TOKEN_TTL_SECONDS)" in ran.err


async def test_what_cannot_be_withdrawn_is_said(oauth: OAuth, store: KVStore, project: Path) -> None:
    _configure(project, publish="off")
    await oauth("users", "add", "ann@example.com", *SCRYPT, stdin=PASSWORD)

    ran = await oauth("users", "end-sessions", "ann@example.com")
    unknown = await oauth("users", "end-sessions", "ann@example.com", "--namespace-id", "users-id")

    assert "access tokens go on until they expire, within 300 seconds" in ran.err
    assert "access tokens go on until they expire, within ACCESS_TOKEN_TTL_SECONDS of the server" in unknown.err


async def _access_token(store: KVStore, client_id: str, name: str, *, published: str | None) -> None:
    tokens, split = (KVNamespace(store, name, SystemClock()) for name in ("tokens-id", "split-id"))
    kind = "opaque" if published is None else "split"
    record = AccessToken(client_id, client_id, (), ("https://api",), kind, name, 0, 1, publish_key=published)
    await tokens.put(records.access_key(name), records.dump(record))
    if published is not None:
        await split.put(published, "header.payload")


async def _tokens(store: KVStore) -> set[str]:
    return {key.name for key in (await KVNamespace(store, "tokens-id", SystemClock()).list()).keys}


SHOP = {
    "client_id": "shop",
    "redirect_uris": ["https://shop.example.com/cb", "https://shop.example.com/two"],
    "scope": "openid orders.read",
}


async def _two_clients_with_tokens(oauth: OAuth, store: KVStore, project: Path) -> None:
    (project / "clients.json").write_text(json.dumps({"clients": [SHOP, {**SHOP, "client_id": "other"}]}))
    await oauth("clients", "import", "clients.json")
    await _access_token(store, "shop", "s1", published="a+/1=")
    await _access_token(store, "shop", "s2", published=None)
    await _access_token(store, "other", "o1", published="b1")


@pytest.mark.parametrize(
    "command", [("disable",), ("delete", "--yes"), ("end-tokens",)], ids=lambda command: str(command[0])
)
async def test_the_clients_access_tokens_are_withdrawn_and_no_others(
    oauth: OAuth, store: KVStore, project: Path, command: tuple[str, ...]
) -> None:
    _configure(project)
    await _two_clients_with_tokens(oauth, store, project)

    ran = await oauth("clients", command[0], "shop", *command[1:])

    assert await _published(store) == ["b1"]
    assert await _tokens(store) == {records.access_key("o1")}
    assert "1 split token withdrawn from the gateway; a whole JWT" in ran.err
    assert "at most 300 seconds (ACCESS_TOKEN_TTL_SECONDS)" in ran.err


async def test_enabling_a_client_withdraws_nothing(oauth: OAuth, store: KVStore, project: Path) -> None:
    _configure(project)
    await _two_clients_with_tokens(oauth, store, project)

    await oauth("clients", "enable", "shop")

    assert await _published(store) == ["a+/1=", "b1"]


@pytest.mark.parametrize(
    ("change", "withdrawn"),
    [
        ({"scope": "openid"}, True),
        ({"redirect_uris": ["https://shop.example.com/cb"]}, True),
        ({"resources": ["https://auth.example.com"]}, True),
        ({"disabled": True}, True),
        ({"client_name": "The shop"}, False),
        ({"redirect_uris": [*SHOP["redirect_uris"], "https://shop.example.com/three"]}, False),
    ],
    ids=["scope", "redirect URI", "resources", "disabled", "name", "another redirect URI"],
)
async def test_replacing_a_client_withdraws_its_tokens_where_it_loses_rights(
    oauth: OAuth, store: KVStore, project: Path, change: dict[str, object], withdrawn: bool
) -> None:
    _configure(project)
    await _two_clients_with_tokens(oauth, store, project)
    (project / "again.json").write_text(json.dumps({"clients": [{**SHOP, **change}]}))

    ran = await oauth("clients", "import", "again.json", "--replace")

    assert await _published(store) == (["b1"] if withdrawn else ["a+/1=", "b1"])
    assert ("client shop lost rights, 1 split token withdrawn" in ran.err) == withdrawn


async def test_tokens_of_a_client_of_the_variable_end_too(oauth: OAuth, store: KVStore, project: Path) -> None:
    configured = (
        '[{ client_id = "robot", secret_hashes = ["sha256:' + "A" * 43 + '"], grant_types = ["client_credentials"] }]'
    )
    _configure(project, clients=configured)
    await KVNamespace(store, "users-id", SystemClock()).put("some", "entry")
    await _access_token(store, "robot", "r1", published="r1-key")

    ran = await oauth("clients", "end-tokens", "robot")
    again = await oauth("clients", "end-tokens", "robot", "--json")
    unknown = await oauth("clients", "end-tokens", "robt", status=1)

    assert "the access tokens of client robot are void, 1 split token withdrawn" in ran.err
    assert json.loads(again.out) == {"client_id": "robot", "withdrawn": 0}
    assert 'there is no client "robt"' in unknown.err


async def test_a_client_whose_tokens_cannot_be_withdrawn_is_disabled_all_the_same(
    oauth: OAuth, store: KVStore, project: Path
) -> None:
    _configure(project, publish="off")
    await _two_clients_with_tokens(oauth, store, project)

    ran = await oauth("clients", "disable", "shop")
    end = await oauth("clients", "end-tokens", "shop", status=1)

    assert "client shop is disabled; access tokens go on until they expire, within 300 seconds" in ran.err
    assert "end-tokens needs the configuration of the server" in end.err
