"""Split tokens are taken from the gateway where a user's sessions end."""

import json
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.host.issuer_scripts import oauth_folder
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from issuer import records, users
from issuer.records import GrantEntry
from tests.cli.oauth.conftest import OAuth

PASSWORD = "correct horse battery"
SCRYPT = ("--hash", "scrypt")


def _configure(project: Path, *, publish: str = "binding") -> None:
    namespaces = ", ".join(
        f'{{ binding = "{name}", id = "{name.lower()}-id" }}' for name in ("USERS", "CODES", "TOKENS", "SPLIT")
    )
    (project / "wrangler.toml").write_text(
        f'name = "w"\nmain = "{oauth_folder()}/src/token_worker.py"\ncompatibility_date = "2026-04-01"\n'
        f'compatibility_flags = ["python_workers"]\nkv_namespaces = [{namespaces}]\n'
        f'[vars]\nISSUER = "https://auth.example.com"\nACCESS_TOKEN_TTL_SECONDS = 300\nPUBLISH = "{publish}"\n'
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
