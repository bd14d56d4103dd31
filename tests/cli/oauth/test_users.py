"""`edgeworker oauth users`, as a person runs it."""

import json
from pathlib import Path

import pytest

from edgeworker.kv.namespace import KVNamespace
from issuer import end_marks, passwords, users
from tests.cli.oauth.conftest import OAuth

PASSWORD = "correct horse battery"
SCRYPT = ("--hash", "scrypt")


async def _kept(namespace: KVNamespace, email: str) -> users.User:
    value = await namespace.get(users.key(email))
    assert value is not None
    return users.parse(json.loads(value))


async def test_a_user_is_added_with_a_password_from_standard_input(oauth: OAuth, namespace: KVNamespace) -> None:
    ran = await oauth("users", "add", "Ann@Example.com", "--name", "Ann", "--verified", stdin=f"{PASSWORD}\n")

    user = await _kept(namespace, "Ann@example.com")
    assert (user.name, user.email_verified, user.disabled) == ("Ann", True, False)
    assert passwords.matches(user.password, PASSWORD)
    assert await namespace.get(users.id_key(user.id)) == users.key("Ann@example.com").encode()
    assert user.id in ran.err
    assert PASSWORD not in ran.out + ran.err


async def test_what_is_told_of_users_has_no_hash(oauth: OAuth, namespace: KVNamespace) -> None:
    await oauth("users", "add", "ann@example.com", "--claims", '{"team": "red"}', *SCRYPT, stdin=PASSWORD)
    user = await _kept(namespace, "ann@example.com")

    listed = await oauth("users", "list", "--json")
    told = json.loads(listed.out)[0]
    assert (told["email"], told["id"], told["claims"]) == ("ann@example.com", user.id, {"team": "red"})
    for ran in (listed, await oauth("users", "list"), await oauth("users", "show", user.id)):
        assert "ann@example.com" in ran.out
        assert "$scrypt" not in ran.out + ran.err


async def test_an_address_is_taken_once(oauth: OAuth, namespace: KVNamespace) -> None:
    await oauth("users", "add", "ann@example.com", *SCRYPT, stdin=PASSWORD)
    before = await _kept(namespace, "ann@example.com")

    ran = await oauth("users", "add", "ann@EXAMPLE.com", *SCRYPT, stdin="another password", status=1)

    assert "there is a user ann@example.com already" in ran.err
    assert await _kept(namespace, "ann@example.com") == before


async def test_a_user_is_disabled_enabled_and_given_another_password(oauth: OAuth, namespace: KVNamespace) -> None:
    await oauth("users", "add", "ann@example.com", *SCRYPT, stdin=PASSWORD)
    await oauth("users", "disable", "ann@example.com")
    disabled = await _kept(namespace, "ann@example.com")
    assert disabled.disabled

    await oauth("users", "enable", disabled.id)
    await oauth("users", "set-password", disabled.id, *SCRYPT, stdin="quite another one\n")

    user = await _kept(namespace, "ann@example.com")
    assert (user.id, user.disabled) == (disabled.id, False)
    assert passwords.matches(user.password, "quite another one")
    assert not passwords.matches(user.password, PASSWORD)


async def test_a_removed_user_leaves_nothing(oauth: OAuth, namespace: KVNamespace) -> None:
    await oauth("users", "add", "ann@example.com", *SCRYPT, stdin=PASSWORD)

    await oauth("users", "delete", "ann@example.com", "--yes")

    assert (await namespace.list()).keys == ()
    ran = await oauth("users", "show", "ann@example.com", status=1)
    assert "there is no user ann@example.com; see: edgeworker oauth users list" in ran.err


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (("add", "nobody"), PASSWORD, "email: 'nobody' is not an address"),
        (("add", "ann@example.com"), "short", "a password has at least 8 characters"),
        (("add", "ann@example.com"), "", "no password came on standard input"),
        (("add", "ann@example.com", "--claims", "{"), PASSWORD, "--claims is not JSON"),
        (("add", "ann@example.com", "--claims", '{"sub": "root"}'), PASSWORD, "'sub' is what the issuer says itself"),
        (("disable", "nobody@example.com"), "", "there is no user nobody@example.com"),
    ],
)
async def test_what_cannot_be_is_refused(
    oauth: OAuth, namespace: KVNamespace, arguments: tuple[str, ...], stdin: str, said: str
) -> None:
    ran = await oauth("users", *arguments, *(SCRYPT if arguments[0] == "add" else ()), stdin=stdin, status=1)

    assert said in ran.err
    assert (await namespace.list()).keys == ()


async def test_a_record_that_is_broken_is_told_and_does_not_hide_the_others(
    oauth: OAuth, namespace: KVNamespace
) -> None:
    await oauth("users", "add", "ann@example.com", *SCRYPT, stdin=PASSWORD)
    await namespace.put("u:broken", "{")
    await namespace.put("u:other", '{"t": "user"}')

    ran = await oauth("users", "list", status=1)

    assert "ann@example.com" in ran.out
    assert 'the entry "u:broken" is not a record' in ran.err
    assert 'the entry "u:other" is not a user' in ran.err


async def test_a_file_is_imported_whole(oauth: OAuth, namespace: KVNamespace, project: Path) -> None:
    hashed = passwords.make("of bob, long ago", scheme="scrypt")
    (project / "users.toml").write_text(
        f'[[users]]\nemail = "ann@example.com"\npassword = "{PASSWORD}"\nname = "Ann"\n'
        f'[[users]]\nemail = "bob@example.com"\npassword_hash = "{hashed}"\nemail_verified = true\n'
    )

    await oauth("users", "import", "users.toml", *SCRYPT)

    ann, bob = await _kept(namespace, "ann@example.com"), await _kept(namespace, "bob@example.com")
    assert passwords.matches(ann.password, PASSWORD)
    assert (bob.password, bob.email_verified) == (hashed, True)


async def test_an_import_tells_all_faults_with_their_lines_and_writes_nothing(
    oauth: OAuth, namespace: KVNamespace, project: Path
) -> None:
    (project / "users.toml").write_text(
        '[[users]]\nemail = "nobody"\npassword = "long enough"\n'
        '[[users]]\nemail = "ann@example.com"\npassword = "short"\n'
        '[[users]]\nemail = "bob@example.com"\n'
        '[[users]]\nemail = "eve@example.com"\npassword = "long enough"\nadmin = true\n'
        '[[users]]\nemail = "zoe@example.com"\npassword = "long enough"\n'
        '[[users]]\nemail = "zoe@EXAMPLE.com"\npassword = "long enough"\n'
    )

    ran = await oauth("users", "import", "users.toml", *SCRYPT, status=1)

    for said in (
        "users.toml:2 (users[0].email)",
        "users.toml:6 (users[1].password)",
        "users.toml:7 (users[2])",
        "users.toml:12 (users[3].admin)",
        "users.toml:17 (users[5].email)",
    ):
        assert said in ran.err
    assert "nothing was written" in ran.err
    assert (await namespace.list()).keys == ()


async def test_a_user_who_is_there_is_replaced_only_on_demand_and_keeps_the_id(
    oauth: OAuth, namespace: KVNamespace, project: Path
) -> None:
    await oauth("users", "add", "ann@example.com", *SCRYPT, stdin=PASSWORD)
    before = await _kept(namespace, "ann@example.com")
    entry = {"email": "ann@example.com", "name": "Ann A.", "password": "quite another one"}
    (project / "users.json").write_text(json.dumps({"users": [entry]}))

    ran = await oauth("users", "import", "users.json", *SCRYPT, status=1)
    assert "there is a user ann@example.com already; --replace replaces such users" in ran.err
    await oauth("users", "import", "users.json", "--replace", *SCRYPT)

    after = await _kept(namespace, "ann@example.com")
    assert (after.id, after.created, after.name) == (before.id, before.created, "Ann A.")


async def _mark(namespace: KVNamespace, user: users.User) -> bytes | None:
    value = await namespace.get(end_marks.key(user.id))
    assert value is None or isinstance(value, bytes)
    return value


@pytest.mark.parametrize(
    ("command", "stdin"),
    [
        (("end-sessions",), ""),
        (("disable",), ""),
        (("enable",), ""),
        (("set-password", *SCRYPT), "quite another one\n"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
async def test_these_end_all_sessions_and_grants(
    oauth: OAuth, namespace: KVNamespace, command: tuple[str, ...], stdin: str
) -> None:
    await oauth("users", "add", "ann@example.com", *SCRYPT, stdin=PASSWORD)
    user = await _kept(namespace, "ann@example.com")
    assert await _mark(namespace, user) is None

    ran = await oauth("users", command[0], "ann@example.com", *command[1:], stdin=stdin)
    first = await _mark(namespace, user)
    await oauth("users", command[0], user.id, *command[1:], stdin=stdin)

    assert "all sessions and refresh tokens are void at once" in ran.err
    assert first is not None
    assert await _mark(namespace, user) not in (None, first)


async def test_end_sessions_changes_nothing_else(oauth: OAuth, namespace: KVNamespace) -> None:
    await oauth("users", "add", "ann@example.com", *SCRYPT, stdin=PASSWORD)
    before = await _kept(namespace, "ann@example.com")

    ran = await oauth("users", "end-sessions", "ANN@example.com", "--json")

    assert json.loads(ran.out)["id"] == before.id
    assert await _kept(namespace, "ann@example.com") == before
    assert "there is no user bob@example.com" in (await oauth("users", "end-sessions", "bob@example.com", status=1)).err


async def test_an_import_ends_the_sessions_of_those_whose_password_or_state_changes(
    oauth: OAuth, namespace: KVNamespace, tmp_path: Path
) -> None:
    file = tmp_path / "users.json"
    names = ("same", "password", "disabled")
    rows = [{"email": f"{name}@example.com", "password": PASSWORD} for name in names]
    file.write_text(json.dumps({"users": rows}))
    await oauth("users", "import", str(file), *SCRYPT)
    rows[1]["password"] = "quite another one"
    rows[2] |= {"disabled": True}  # type: ignore[dict-item]  # JSON
    rows[0]["email"] = "SAME@example.com"
    file.write_text(json.dumps({"users": rows}))

    await oauth("users", "import", str(file), "--replace", *SCRYPT)

    marks = [await _mark(namespace, await _kept(namespace, f"{name}@example.com")) for name in names]
    assert [mark is not None for mark in marks] == [False, True, True]


@pytest.mark.parametrize(
    "typed", ["ANN@example.com", "Ann@EXAMPLE.COM", "ann@xn--bcher-kva.example", "ann@Bücher.example"]
)
async def test_an_address_is_one_account_in_every_spelling(oauth: OAuth, namespace: KVNamespace, typed: str) -> None:
    email = "Ann@example.com" if "example.com" in typed.lower() else "ann@bücher.example"
    await oauth("users", "add", email, *SCRYPT, stdin=PASSWORD)

    assert "there is a user" in (await oauth("users", "add", typed, *SCRYPT, stdin=PASSWORD, status=1)).err
    assert json.loads((await oauth("users", "show", typed)).out)["email"] == email


async def test_a_record_under_the_key_of_an_earlier_version_is_found(oauth: OAuth, namespace: KVNamespace) -> None:
    await oauth("users", "add", "Ann@example.com", *SCRYPT, stdin=PASSWORD)
    user = await _kept(namespace, "Ann@example.com")
    new, old = users.keys("Ann@example.com")
    assert new != old
    await namespace.put(old, json.dumps(users.record(user)))
    await namespace.put(users.id_key(user.id), old)
    await namespace.delete(new)

    await oauth("users", "disable", "Ann@example.com")

    value = await namespace.get(old)
    assert isinstance(value, bytes)
    assert users.parse(json.loads(value)).disabled
    assert "there is a user" in (await oauth("users", "add", "Ann@example.com", *SCRYPT, stdin=PASSWORD, status=1)).err
