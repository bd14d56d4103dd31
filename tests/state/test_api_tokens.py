import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeworker.errors import ConfigError, StoreError
from edgeworker.state import FILE_NAME, ApiTokens


def test_a_token_is_known_by_its_text_until_it_is_revoked_in_every_process(tmp_path: Path) -> None:
    here, elsewhere = ApiTokens(tmp_path), ApiTokens(tmp_path)
    text = here.create("ci", ["kv:read", "kv:write:ns"], now=100, expires_at=None)

    token = elsewhere.check(text, now=100)
    assert token is not None
    assert (token.name, token.permissions, token.created_at) == ("ci", ("kv:read", "kv:write:ns"), 100)
    assert here.revoke(token.id) == token
    assert elsewhere.check(text, now=100) is None


def test_a_token_is_gone_at_its_expiry_second(tmp_path: Path) -> None:
    tokens = ApiTokens(tmp_path)
    text = tokens.create("short", ["everything"], now=100, expires_at=160)

    assert tokens.check(text, now=159) is not None
    assert tokens.check(text, now=160) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "x",
        lambda text: text[:-1],
        lambda text: text.removeprefix("ewt_"),
        lambda text: text.rpartition("_")[0],
        lambda text: "",
        lambda text: "ewt__",
        lambda text: text.replace("ewt_", "ewt_0"),
    ],
)
def test_another_text_is_no_token(tmp_path: Path, change: Callable[[str], str]) -> None:
    tokens = ApiTokens(tmp_path)
    text = tokens.create("a", ["everything"], now=100, expires_at=None)

    assert tokens.check(change(text), now=100) is None


def test_the_secret_is_in_no_file_and_only_the_owner_reads_the_files(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    secret = ApiTokens(directory).create("a", ["everything"], now=100, expires_at=None).split("_", 2)[2]

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for file in directory.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert secret.encode() not in file.read_bytes()


def test_without_a_file_there_is_no_token_and_none_is_made_by_asking(tmp_path: Path) -> None:
    tokens = ApiTokens(tmp_path)

    assert tokens.check("ewt_a_b", now=1) is None
    assert tokens.list() == []
    assert list(tmp_path.iterdir()) == []


def test_tokens_are_listed_with_the_expired_ones_and_without_secrets(tmp_path: Path) -> None:
    tokens = ApiTokens(tmp_path)
    tokens.create("b", ["kv:read"], now=200, expires_at=300)
    tokens.create("a", ["everything"], now=100, expires_at=None)

    assert [(token.name, token.expires_at) for token in tokens.list()] == [("a", None), ("b", 300)]


@pytest.mark.parametrize(
    ("name", "expires_at", "text"),
    [
        ("taken", None, 'There is a token named "taken" already'),
        (" ", None, "cannot be empty"),
        ("late", 100, "has expired already"),
    ],
)
def test_a_token_that_cannot_be_made_says_why(tmp_path: Path, name: str, expires_at: int | None, text: str) -> None:
    tokens = ApiTokens(tmp_path)
    tokens.create("taken", ["everything"], now=100, expires_at=None)

    with pytest.raises(ConfigError, match=text):
        tokens.create(name, ["everything"], now=100, expires_at=expires_at)


def test_revoking_an_unknown_token_names_the_known_ones(tmp_path: Path) -> None:
    tokens = ApiTokens(tmp_path)
    with pytest.raises(ConfigError, match='"x"; there are: none'):
        tokens.revoke("x")
    tokens.create("ci", ["everything"], now=100, expires_at=None)

    with pytest.raises(ConfigError, match='there are: "ci"'):
        tokens.revoke("x")


def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database, whatever its name says" * 100)

    with pytest.raises(StoreError, match=r"state\.sqlite: file is not a database"):
        ApiTokens(tmp_path).check("ewt_a_b", now=1)
