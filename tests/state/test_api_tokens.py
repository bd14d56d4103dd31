import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from edgeworker.errors import ConfigError, StoreError
from edgeworker.state import FILE_NAME, ApiTokens, SQLiteState
from tests.kv.clocks import FakeClock

Open = Callable[[Path], Awaitable[ApiTokens]]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def open_tokens(directory: Path) -> ApiTokens:
            return (await stack.enter_async_context(SQLiteState(directory, FakeClock()))).api_tokens

        yield open_tokens


async def test_a_token_is_known_by_its_text_until_it_is_revoked_in_every_process(opened: Open, tmp_path: Path) -> None:
    here, elsewhere = await opened(tmp_path), await opened(tmp_path)
    text = await here.create("ci", ["kv:read", "kv:write:ns"], now=100, expires_at=None)

    token = await elsewhere.check(text, now=100)
    assert token is not None
    assert (token.name, token.permissions, token.created_at) == ("ci", ("kv:read", "kv:write:ns"), 100)
    assert await here.revoke(token.id) == token
    assert await elsewhere.check(text, now=100) is None


async def test_a_token_is_gone_at_its_expiry_second(opened: Open, tmp_path: Path) -> None:
    tokens = await opened(tmp_path)
    text = await tokens.create("short", ["everything"], now=100, expires_at=160)

    assert await tokens.check(text, now=159) is not None
    assert await tokens.check(text, now=160) is None


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
async def test_another_text_is_not_a_token(opened: Open, tmp_path: Path, change: Callable[[str], str]) -> None:
    tokens = await opened(tmp_path)
    text = await tokens.create("a", ["everything"], now=100, expires_at=None)

    assert await tokens.check(change(text), now=100) is None


async def test_the_secret_is_in_no_file_and_only_the_owner_reads_the_files(opened: Open, tmp_path: Path) -> None:
    directory = tmp_path / "data"
    secret = (await (await opened(directory)).create("a", ["everything"], now=100, expires_at=None)).split("_", 2)[2]

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for file in directory.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert secret.encode() not in file.read_bytes()


async def test_without_a_file_there_is_no_token_and_none_is_made_by_asking(opened: Open, tmp_path: Path) -> None:
    tokens = await opened(tmp_path)

    assert await tokens.check("ewt_a_b", now=1) is None
    assert await tokens.list() == []
    assert os.listdir(tmp_path) == []


async def test_tokens_are_listed_with_the_expired_ones_and_without_secrets(opened: Open, tmp_path: Path) -> None:
    tokens = await opened(tmp_path)
    await tokens.create("b", ["kv:read"], now=200, expires_at=300)
    await tokens.create("a", ["everything"], now=100, expires_at=None)

    assert [(token.name, token.expires_at) for token in await tokens.list()] == [("a", None), ("b", 300)]


@pytest.mark.parametrize(
    ("name", "expires_at", "text"),
    [
        ("taken", None, 'There is a token named "taken" already'),
        (" ", None, "cannot be empty"),
        ("late", 100, "has expired already"),
    ],
)
async def test_a_token_that_cannot_be_made_says_why(
    opened: Open, tmp_path: Path, name: str, expires_at: int | None, text: str
) -> None:
    tokens = await opened(tmp_path)
    await tokens.create("taken", ["everything"], now=100, expires_at=None)

    with pytest.raises(ConfigError, match=text):
        await tokens.create(name, ["everything"], now=100, expires_at=expires_at)


async def test_revoking_an_unknown_token_names_the_known_ones(opened: Open, tmp_path: Path) -> None:
    tokens = await opened(tmp_path)
    with pytest.raises(ConfigError, match='"x"; there are: none'):
        await tokens.revoke("x")
    await tokens.create("ci", ["everything"], now=100, expires_at=None)

    with pytest.raises(ConfigError, match='there are: "ci"'):
        await tokens.revoke("x")


async def test_a_file_that_is_not_a_database_is_a_store_error(opened: Open, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database, whatever its name says" * 100)

    with pytest.raises(StoreError, match=r"state\.sqlite: file is not a database"):
        await (await opened(tmp_path)).check("ewt_a_b", now=1)
