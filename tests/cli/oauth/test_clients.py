"""`edgeworker oauth clients`, as a person runs it."""

import json
from pathlib import Path

import pytest

from edgeworker.cli.init import write
from edgeworker.config import Namespace
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from issuer import clients
from tests.cli.oauth.conftest import OAuth

CALLBACK = "https://shop.example.com/callback"
SHOP = ("shop", "--redirect-uri", CALLBACK, "--scope", "openid", "--scope", "orders.read")


async def _kept(namespace: KVNamespace, client_id: str) -> clients.RegisteredClient:
    value = await namespace.get(clients.key(client_id))
    assert value is not None
    return clients.parse(json.loads(value))


async def test_a_secret_is_printed_once_and_kept_as_a_hash(oauth: OAuth, namespace: KVNamespace) -> None:
    ran = await oauth("clients", "add", *SHOP, "--name", "The shop")

    secret, client = ran.out.strip(), await _kept(namespace, "shop")
    assert len(secret) == 43
    assert clients.secret_matches(client, secret)
    assert secret.encode() not in (await namespace.get(clients.key("shop")) or b"")
    assert client.client_name == "The shop"
    assert client.grant_types == ("authorization_code", "refresh_token")
    assert client.scope == ("openid", "orders.read")
    for again in (await oauth("clients", "show", "shop"), await oauth("clients", "list")):
        assert "shop" in again.out
        assert secret not in again.out + again.err
        assert client.secret_hashes[0] not in again.out + again.err


async def test_json_has_the_secret_too(oauth: OAuth, namespace: KVNamespace) -> None:
    told = json.loads((await oauth("clients", "add", *SHOP, "--json")).out)

    assert clients.secret_matches(await _kept(namespace, "shop"), told["client_secret"])
    assert told["redirect_uris"] == [CALLBACK]


async def test_a_public_client_has_no_secret_and_a_service_needs_no_redirect(
    oauth: OAuth, namespace: KVNamespace
) -> None:
    ran = await oauth("clients", "add", "app", "--public", "--redirect-uri", "com.example.app:/callback")
    await oauth("clients", "add", "job", "--scope", "orders.read", "--token-format", "jwt")

    app, job = await _kept(namespace, "app"), await _kept(namespace, "job")
    assert (ran.out, app.secret_hashes, app.token_endpoint_auth_method) == ("", (), "none")
    assert (job.grant_types, job.token_format) == (("client_credentials",), "jwt")


async def test_a_replaced_secret_is_valid_until_the_next_one(oauth: OAuth, namespace: KVNamespace) -> None:
    first = (await oauth("clients", "add", *SHOP)).out.strip()
    second = (await oauth("clients", "rotate-secret", "shop")).out.strip()
    assert [clients.secret_matches(await _kept(namespace, "shop"), each) for each in (first, second)] == [True, True]

    third = (await oauth("clients", "rotate-secret", "shop")).out.strip()
    client = await _kept(namespace, "shop")
    assert [clients.secret_matches(client, each) for each in (first, second, third)] == [False, True, True]

    last = (await oauth("clients", "rotate-secret", "shop", "--drop-old")).out.strip()
    client = await _kept(namespace, "shop")
    assert [clients.secret_matches(client, each) for each in (third, last)] == [False, True]


async def test_a_client_is_disabled_enabled_and_removed(oauth: OAuth, namespace: KVNamespace) -> None:
    await oauth("clients", "add", *SHOP)

    await oauth("clients", "disable", "shop")
    assert (await _kept(namespace, "shop")).disabled
    await oauth("clients", "enable", "shop")
    assert not (await _kept(namespace, "shop")).disabled
    await oauth("clients", "delete", "shop", "--yes")
    assert (await namespace.list()).keys == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "shop", "--redirect-uri", "http://shop.example.com/"), "redirect_uris: 'http://shop.example.com/'"),
        (("add", "shop", "--redirect-uri", "javascript:alert(1)"), 'the scheme "javascript"'),
        (("add", "u_shop"), "client_id: 'u_shop' begins with"),
        (("add", "shop", "--token-format", "paper"), "token_format: 'paper' is not one of split, jwt, opaque"),
        (("add", "shop", "--auth", "magic"), "token_endpoint_auth_method: 'magic' is not one of"),
        (("add", "job", "--auth", "private_key_jwt"), "jwks: private_key_jwt needs the client's public keys"),
        (("show", "shop"), 'there is no client "shop" in KV'),
        (("rotate-secret", "shop"), 'there is no client "shop" in KV'),
    ],
)
async def test_what_cannot_be_is_refused(
    oauth: OAuth, namespace: KVNamespace, arguments: tuple[str, ...], said: str
) -> None:
    ran = await oauth("clients", *arguments, status=1)

    assert said in ran.err
    assert (await namespace.list()).keys == ()


async def test_a_client_is_registered_once(oauth: OAuth) -> None:
    await oauth("clients", "add", *SHOP)

    assert 'there is a client "shop" already' in (await oauth("clients", "add", *SHOP, status=1)).err


async def test_a_client_without_a_secret_gets_no_new_one(oauth: OAuth) -> None:
    await oauth("clients", "add", "app", "--public", "--redirect-uri", "com.example.app:/callback")

    assert "has no secret" in (await oauth("clients", "rotate-secret", "app", status=1)).err


async def test_a_file_is_imported_with_given_and_with_made_secrets(
    oauth: OAuth, namespace: KVNamespace, project: Path
) -> None:
    given = "a-secret-that-is-random-enough"
    (project / "clients.toml").write_text(
        f'[[clients]]\nclient_id = "shop"\nredirect_uris = ["{CALLBACK}"]\nclient_secret = "{given}"\n'
        '[[clients]]\nclient_id = "job"\ngrant_types = ["client_credentials"]\n'
        '[[clients]]\nclient_id = "app"\nredirect_uris = ["com.example.app:/cb"]\n'
        'token_endpoint_auth_method = "none"\n'
    )

    made = {
        each["client_id"]: each for each in json.loads((await oauth("clients", "import", "clients.toml", "--json")).out)
    }

    assert clients.secret_matches(await _kept(namespace, "shop"), given)
    assert clients.secret_matches(await _kept(namespace, "job"), made["job"]["client_secret"])
    assert "client_secret" not in made["shop"]
    assert "client_secret" not in made["app"]


async def test_an_import_tells_all_faults_with_their_lines_and_writes_nothing(
    oauth: OAuth, namespace: KVNamespace, project: Path
) -> None:
    (project / "clients.json").write_text(
        '{"clients": [\n'
        f'{{"client_id": "shop", "redirect_uris": ["{CALLBACK}"],\n'
        '  "token_format": "paper"},\n'
        '{"client_id": "job", "grant_types": ["client_credentials"],\n'
        '  "client_secret": "hunter2"},\n'
        '{"client_id": "two", "grant_types": ["client_credentials"]},\n'
        '{"client_id": "two", "grant_types": ["client_credentials"]}\n'
        "]}"
    )

    ran = await oauth("clients", "import", "clients.json", status=1)

    for said in (
        "clients.json:3 (clients[0].token_format)",
        "clients.json:5 (clients[1].client_secret)",
        "clients.json:7 (clients[3].client_id)",
    ):
        assert said in ran.err
    assert "hunter2" not in ran.err
    assert (await namespace.list()).keys == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[clients", "clients.toml:1"),
        ("[[users]]\nemail = 'a@b.c'\n", 'there is no list "clients"; write [[clients]] before each'),
        ("[[client]]\nclient_id = 'a'\n", '"client": there is no such list; there are: users, clients'),
        ("clients = [1]\n", "1 is not a table"),
    ],
)
async def test_a_file_of_another_form_is_told(oauth: OAuth, project: Path, text: str, said: str) -> None:
    (project / "clients.toml").write_text(text)

    assert said in (await oauth("clients", "import", "clients.toml", status=1)).err


async def test_a_client_that_the_server_here_would_not_know_is_refused(
    oauth: OAuth, store: KVStore, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.namespaces.register([Namespace("00000000000000000000000000000001", "the template's USERS")])
    write(project / "login", "oauth")
    monkeypatch.chdir(project / "login")

    ran = await oauth("clients", "add", *SHOP, status=1)
    assert "client 'shop' has scope 'orders.read', which SCOPES does not" in ran.err

    (project / "login" / "clients.toml").write_text(
        f'[[clients]]\nclient_id = "shop"\nredirect_uris = ["{CALLBACK}"]\nresources = ["https://other.example"]\n'
    )
    ran = await oauth("clients", "import", "clients.toml", status=1)
    assert "names resource 'https://other.example', which RESOURCES does not" in ran.err
    assert "clients.toml:1 (clients[0])" in ran.err

    await oauth("clients", "add", "notes", "--redirect-uri", CALLBACK, "--scope", "openid records.read")


async def test_a_client_that_was_deleted_and_added_again_is_another_one(
    oauth: OAuth, namespace: KVNamespace, tmp_path: Path
) -> None:
    async def registration() -> str:
        return (await _kept(namespace, "shop")).registration

    await oauth("clients", "add", *SHOP)
    first = await registration()
    for action in ("rotate-secret", "disable", "enable"):
        await oauth("clients", action, "shop")
        assert await registration() == first
    file = tmp_path / "clients.json"
    record = {"client_id": "shop", "redirect_uris": [CALLBACK], "registration": "chosen"}
    file.write_text(json.dumps({"clients": [record]}))
    await oauth("clients", "import", str(file), "--replace")
    assert await registration() == first
    assert first not in (await oauth("clients", "show", "shop")).out

    await oauth("clients", "delete", "shop", "--yes")
    await oauth("clients", "add", *SHOP)
    second = await registration()
    await oauth("clients", "delete", "shop", "--yes")
    await oauth("clients", "import", str(file))

    assert len({first, second, await registration()}) == 3
