import json
from pathlib import Path

import pytest

from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from tests.cli.kv.commands import Kv


async def test_a_namespace_is_made_listed_renamed_and_deleted(kv: Kv, store: KVStore) -> None:
    made = (await kv("namespace", "create", "my sessions")).out
    listed = json.loads((await kv("namespace", "list")).out)

    assert [namespace["title"] for namespace in listed] == ["my sessions", "tokens"]
    assert made.endswith(f'[[kv_namespaces]]\nbinding = "my_sessions"\nid = "{listed[0]["id"]}"\n')
    await kv("namespace", "rename", "my sessions", "--new-name", "logins")
    await kv("namespace", "rename", "--namespace-id", "ns", "--new-name", "parts")
    assert [namespace.title for namespace in await store.namespaces.all()] == ["parts", "logins"]
    await kv("namespace", "delete", "logins", "-y")
    await kv("namespace", "delete", "--namespace-id", "ns")
    assert await store.namespaces.all() == []


async def test_a_preview_namespace_says_so_in_title_and_snippet(kv: Kv, store: KVStore) -> None:
    made = (await kv("namespace", "create", "x", "--preview", "--binding", "X")).out

    assert 'binding = "X"\npreview_id = ' in made
    assert [namespace.title for namespace in await store.namespaces.all()] == ["tokens", "x_preview"]


async def test_a_binding_names_the_namespace_to_delete(
    kv: Kv, store: KVStore, namespace: KVNamespace, tmp_path: Path
) -> None:
    (tmp_path / "wrangler.toml").write_text(
        'name = "w"\nmain = "w.py"\ncompatibility_date = "2025-01-01"\n[[kv_namespaces]]\nbinding = "T"\nid = "ns"\n'
    )
    (tmp_path / "w.py").touch()
    await namespace.put("k", b"v")

    await kv("namespace", "delete", "--binding", "T", "-y")

    assert await store.namespaces.all() == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("create", "tokens"), "a namespace with this account ID and title already exists"),
        (("rename", "missing", "--new-name", "x"), 'there is no namespace with the title "missing"'),
        (("rename", "--namespace-id", "missing", "--new-name", "x"), "namespace not found"),
        (("rename", "--new-name", "x"), "name the namespace in exactly one way"),
        (("delete", "tokens", "--namespace-id", "ns"), "name the namespace in exactly one way"),
        (("delete", "--namespace-id", "missing", "-y"), "namespace not found"),
    ],
)
async def test_what_cannot_be_done_is_told(kv: Kv, arguments: tuple[str, ...], text: str) -> None:
    assert text in (await kv("namespace", *arguments, status=1)).err
