import asyncio
from pathlib import Path

import pytest

from edgeworker.cli import main
from edgeworker.cli.token import expiry
from edgeworker.errors import ConfigError
from edgeworker.state import ApiToken, SQLiteState
from tests.kv.clocks import FakeClock


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["token", *arguments])
    return ended.value.code if isinstance(ended.value.code, int) else -1


def checked(data: Path, text: str) -> ApiToken | None:
    async def check() -> ApiToken | None:
        async with SQLiteState(data, FakeClock()) as state:
            return await state.api_tokens.check(text, now=0)

    return asyncio.run(check())


def test_a_token_is_made_listed_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = ("--persist-to", str(tmp_path / "data"))

    assert run("create", "publisher", "--allow", "kv:write:ns", "--allow", "account:read", *here) == 0
    made = capsys.readouterr()
    text = made.out.strip()
    found = checked(tmp_path / "data", text)
    assert found is not None
    assert (found.name, found.permissions) == ("publisher", ("kv:write:ns", "account:read"))
    assert "may: kv:write:ns, account:read; it expires: never" in made.err
    assert run("list", *here) == 0
    listed = capsys.readouterr().out
    assert "publisher" in listed
    assert text.split("_", 2)[2] not in listed
    assert run("revoke", "publisher", *here) == 0
    assert checked(tmp_path / "data", text) is None
    assert run("revoke", "publisher", *here) == 1
    assert 'There is no token with the name or id "publisher"' in capsys.readouterr().err


def test_an_expired_token_is_listed_as_expired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def create() -> None:
        async with SQLiteState(tmp_path, FakeClock()) as state:
            await state.api_tokens.create("old", ["everything"], now=100, expires_at=200)

    asyncio.run(create())

    assert run("list", "--persist-to", str(tmp_path)) == 0

    assert "1970-01-01 00:03Z (expired)" in capsys.readouterr().out


def test_without_tokens_the_list_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--persist-to", str(tmp_path / "none")) == 0
    assert capsys.readouterr().out == "there is no named token\n"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("permission", ["kv", "kv:delete", "kv:write:", "everything:ns", "any", ""])
def test_what_is_not_a_permission_is_refused_with_the_list_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], permission: str
) -> None:
    assert run("create", "x", "--allow", permission, "--persist-to", str(tmp_path)) == 1
    assert f'"{permission}" is not a permission; there are: everything, account:read' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("60s", 1060),
        ("2m", 1120),
        ("1h", 4600),
        ("30d", 2_593_000),
        ("1w", 605_800),
        ("1970-01-02", 86_400),
        ("1970-01-01T01:00+01:00", 0),
        ("1970-01-01T00:00:05Z", 5),
    ],
)
def test_an_expiry_is_a_duration_or_a_moment(text: str, moment: int) -> None:
    assert expiry(text, now=1000) == moment


@pytest.mark.parametrize("text", ["", "soon", "30", "-1d", "30x", "2027-13-01"])
def test_another_expiry_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is neither a time like"):
        expiry(text, now=1000)
