import base64
import json
from pathlib import Path

import pytest

from edgeworker.cli.kv.view import shown_value, time_left
from edgeworker.kv.namespace import KVNamespace
from tests.cli.kv.commands import Kv


def part(claims: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


TOKEN_PART = f"{part({'alg': 'RS256'})}.{part({'sub': 'ada'})}"


async def test_a_namespace_is_shown_with_values_metadata_and_time_left(kv: Kv, namespace: KVNamespace) -> None:
    await namespace.put("hash+/=", TOKEN_PART, expiration_ttl=3600)
    await namespace.put("note", "hello", metadata={"by": "me"})

    shown = (await kv("view", "tokens")).out

    assert 'hash+/=  header {"alg": "RS256"} payload {"sub": "ada"}' in shown
    assert "0:59:5" in shown or "1:00:00" in shown
    assert ["note", "hello", '{"by":', '"me"}'] in [line.split() for line in shown.splitlines()]


async def test_a_view_of_many_keys_is_cut_and_says_so(kv: Kv, namespace: KVNamespace) -> None:
    for number in range(5):
        await namespace.put(f"a{number}", "v")
    await namespace.put("b", "v")

    cut = (await kv("view", "ns", "--limit", "2")).out
    chosen = (await kv("view", "ns", "--prefix", "b")).out

    assert ("a1" in cut, "a2" in cut) == (True, False)
    assert "there are more keys than these 2" in cut
    assert ("a0" in chosen, "more keys" in chosen) == (False, False)
    assert "there is no key" in (await kv("view", "ns", "--prefix", "zzz")).out


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (TOKEN_PART.encode(), 'header {"alg": "RS256"} payload {"sub": "ada"}'),
        (b"a.b", "a.b"),
        (b"plain text", "plain text"),
        (b"\xff\x00", "(2 bytes, not text)"),
        (b"x" * 300, "x" * 200 + "… (300 characters)"),
        (b"\x1b[31mred\n", "\\x1b[31mred\\n"),
        (b"", ""),
    ],
)
def test_a_value_is_one_line_that_cannot_steer_a_terminal(value: bytes, shown: str) -> None:
    assert shown_value(value) == shown


@pytest.mark.parametrize(("seconds", "text"), [(59, "0:00:59"), (90_000, "1 day, 1:00:00"), (0, "expired")])
def test_time_left_is_said_in_hours_and_days(seconds: int, text: str) -> None:
    assert time_left(seconds) == text


async def test_a_binding_of_the_configuration_is_found(kv: Kv, namespace: KVNamespace, tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text(
        'name = "w"\nmain = "w.py"\ncompatibility_date = "2025-01-01"\n[[kv_namespaces]]\nbinding = "T"\nid = "ns"\n'
    )
    (tmp_path / "w.py").touch()
    await namespace.put("k", "v")

    assert "namespace ns\n" in (await kv("view", "T")).out
    assert 'there are: "tokens" (ns), binding T' in (await kv("view", "nothing", status=1)).err
