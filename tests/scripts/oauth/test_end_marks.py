"""The end of everything that a user began: sessions, codes, grants and consents, by one mark that is checked at use."""

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from edgeworker.config import JSON
from edgeworker.testing import Reply
from issuer import auth_router, cookies, csrf, end_marks, passwords, users
from issuer.id_token_hint import IDTokenHint
from issuer.page_context import AuthServer, PageContext, PageRequest
from issuer.sessions import SessionStore
from issuer.settings import IssuerSettings
from issuer.storage import IssuerStorage
from tests.scripts.oauth.auth_stage import (
    CALLBACK,
    HASH,
    ISSUER,
    PASSWORD,
    SCRIPTS,
    VERIFIER,
    Browser,
    Stage,
    answered,
    request,
    set_up,
)
from verifier.worker_bindings import KVListPage

NEW_HASH = passwords.make("quite another one")
BASIC = "Basic " + base64.b64encode(b"victoriasclient:victorias-secret").decode()
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": BASIC}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with set_up(workers=("auth", "token")) as made:
        yield made


def post(stage: Stage, path: str, **fields: str) -> Reply:
    return stage.edge.post(ISSUER + path, headers=FORM, body=urlencode(fields))


def code_of(browser: Browser) -> str:
    """A code for the shop; the user consents if the page asks."""
    browser.open(request())
    assert browser.reply is not None
    reply = browser.submit(decision="allow") if browser.reply.status == 200 else browser.reply
    return answered(reply)["code"]


def exchange(stage: Stage, code: str) -> Reply:
    return post(
        stage, "/token", grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER
    )


def tokens_of(stage: Stage, browser: Browser) -> dict[str, JSON]:
    reply = exchange(stage, code_of(browser))
    assert reply.status == 200, reply.text
    return dict(reply.json(dict))


def refresh(stage: Stage, tokens: dict[str, JSON]) -> Reply:
    return post(stage, "/token", grant_type="refresh_token", refresh_token=str(tokens["refresh_token"]))


def is_active(stage: Stage, token: JSON) -> bool:
    return post(stage, "/introspect", token=str(token)).json(dict)["active"] is True


def is_logged_in(browser: Browser) -> bool:
    return "<h1>Sign in</h1>" not in browser.open("/login").text


def userinfo(stage: Stage, tokens: dict[str, JSON]) -> int:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return stage.edge.get(f"{ISSUER}/userinfo", headers=headers).status


def put_mark(stage: Stage) -> None:
    """As `oauth users end-sessions` does."""
    stage.edge.kv("USERS").put(end_marks.key(stage.ann.id), end_marks.new(now=int(stage.clock.now())))


def test_everything_that_began_before_a_mark_is_void(stage: Stage) -> None:
    intruder = stage.logged_in()
    tokens = tokens_of(stage, intruder)
    code = code_of(intruder)
    assert (is_active(stage, tokens["refresh_token"]), is_active(stage, tokens["access_token"])) == (True, True)

    put_mark(stage)

    assert not is_logged_in(intruder)
    assert exchange(stage, code).json(dict)["error"] == "invalid_grant"
    assert (is_active(stage, tokens["refresh_token"]), is_active(stage, tokens["access_token"])) == (False, False)
    assert refresh(stage, tokens).json(dict)["error"] == "invalid_grant"
    assert userinfo(stage, tokens) == 401


def test_what_begins_after_a_mark_is_valid_in_the_same_second(stage: Stage) -> None:
    tokens_of(stage, stage.logged_in())

    put_mark(stage)

    browser = stage.logged_in()
    tokens = tokens_of(stage, browser)
    assert refresh(stage, tokens).status == 200
    assert userinfo(stage, tokens) == 200
    assert is_logged_in(browser)


def test_a_consent_before_a_mark_is_asked_again(stage: Stage) -> None:
    tokens_of(stage, stage.logged_in())
    assert stage.logged_in().open(request(), follow=False).status == 302

    put_mark(stage)

    assert "wants to use your account" in stage.logged_in().open(request()).text


@pytest.mark.parametrize("change", ["password", "disabled and enabled"])
def test_a_changed_record_alone_does_not_let_an_old_session_live(stage: Stage, change: str) -> None:
    """`oauth users` writes the record and a mark together."""
    intruder = stage.logged_in()
    tokens = tokens_of(stage, intruder)
    if change == "password":
        stage.add(users.parse(users.record(stage.ann) | {"password": passwords.make("quite another one")}))
    put_mark(stage)

    assert not is_logged_in(intruder)
    assert refresh(stage, tokens).status == 400


def test_signing_out_everywhere_ends_other_browsers_codes_and_grants(stage: Stage) -> None:
    intruder, owner = stage.logged_in(), stage.logged_in()
    tokens = tokens_of(stage, intruder)
    code = code_of(intruder)

    owner.open("/logout")
    assert "You are signed out" in owner.submit(action="logout", everywhere="yes").text

    assert not is_logged_in(intruder)
    assert exchange(stage, code).status == 400
    assert refresh(stage, tokens).status == 400
    assert not is_active(stage, tokens["access_token"])
    again = stage.logged_in()
    assert refresh(stage, tokens_of(stage, again)).status == 200


def test_signing_out_of_one_browser_leaves_the_others(stage: Stage) -> None:
    one, other = stage.logged_in(), stage.logged_in()
    tokens = tokens_of(stage, one)

    one.open("/logout")
    one.submit(action="logout")

    assert not is_logged_in(one)
    assert is_logged_in(other)
    assert refresh(stage, tokens).status == 200


def test_a_grant_that_no_list_shows_yet_ends_as_well(stage: Stage) -> None:
    """On an eventually consistent KV the list of a user's grants misses those of the last minute."""
    intruder, owner = stage.logged_in(), stage.logged_in()
    tokens = tokens_of(stage, intruder)
    for key in list(iter(stage.edge.kv("TOKENS").keys("g:"))):
        stage.edge.kv("TOKENS").delete(key)

    owner.open("/logout")
    owner.submit(action="logout", everywhere="yes")

    assert refresh(stage, tokens).status == 400


def test_signing_out_everywhere_works_without_the_atomic_service(tmp_path: Path) -> None:
    shutil.copytree(SCRIPTS, tmp_path / "oauth", ignore=shutil.ignore_patterns("__pycache__"))
    for worker in ("auth", "token"):
        file = tmp_path / "oauth" / worker / "wrangler.toml"
        file.write_text(file.read_text().replace('binding = "ATOMIC"', 'binding = "UNUSED"'))
    with set_up(workers=("auth", "token"), folder=tmp_path / "oauth") as stage:
        intruder, owner = stage.logged_in(), stage.logged_in()
        tokens = tokens_of(stage, intruder)
        code = code_of(intruder)

        owner.open("/logout")
        owner.submit(action="logout", everywhere="yes")

        assert not is_logged_in(intruder)
        assert (refresh(stage, tokens).status, exchange(stage, code).status) == (400, 400)
        assert refresh(stage, tokens_of(stage, stage.logged_in())).status == 200


class ChangingKV:
    """A KV namespace in which an operator changes the user while a login is on its way."""

    def __init__(self, change: Callable[[dict[str, str]], None]) -> None:
        self.entries: dict[str, str] = {}
        self._change = change

    async def get(self, key: str, /) -> str | None:
        if key.startswith("hash:"):  # read between the user's record and the check of the password
            self._change(self.entries)
        return self.entries.get(key)

    async def put(self, key: str, value: str, /, **options: int) -> None:
        self.entries[key] = value

    async def delete(self, key: str, /) -> None:
        self.entries.pop(key, None)

    async def list(self, **options: str | int) -> KVListPage:
        raise AssertionError


@pytest.mark.parametrize("change", ["nothing", "new password", "disabled", "deleted"])
async def test_a_login_that_an_operator_overtakes_gets_no_session(change: str) -> None:
    ann = users.new("ann@example.com", HASH, now=0)
    key = users.key(ann.email)

    def overtake(entries: dict[str, str]) -> None:
        match change:
            case "new password":
                entries[key] = json.dumps(users.record(replace(ann, password=NEW_HASH)))
            case "disabled":
                entries[key] = json.dumps(users.record(replace(ann, disabled=True)))
            case "deleted":
                entries.pop(key, None)
            case _:
                pass

    kv = ChangingKV(overtake)
    kv.entries |= {key: json.dumps(users.record(ann)), users.id_key(ann.id): key}
    settings = IssuerSettings(issuer=ISSUER, resources=(ISSUER,))
    storage = IssuerStorage(SimpleNamespace(USERS=kv, CODES=kv, TOKENS=kv), settings)
    secret = cookies.new_secret()
    fields = {"email": ann.email, "password": PASSWORD, "csrf": csrf.token(secret, "login", "")}

    async def body(limit: int) -> bytes:
        return urlencode(fields).encode()

    async def allow(key: str) -> bool:
        return True

    async def no_hint(text: str) -> IDTokenHint:
        raise AssertionError

    received = PageRequest(
        method="POST",
        path="/login",
        query="",
        cookie=f"__Host-oauth-form={secret}",
        address="198.51.100.7",
        content_type="application/x-www-form-urlencoded",
        fetch_site="same-origin",
        body=body,
        now=1000,
    )
    response = await auth_router.answer(
        PageContext(
            request=received,
            server=AuthServer(settings, no_hint),
            store=storage,
            sessions=SessionStore(storage.tokens, None, settings),
            failures=storage.tokens,
            check_rate_limit=allow,
        )
    )

    assert response.status == (303 if change == "nothing" else 403)
    assert any(key.startswith("s:") for key in kv.entries) is (change == "nothing")


@pytest.mark.parametrize(
    ("began", "current", "void"),
    [
        ("", ".", False),
        (".", ".", False),
        (".", "x.", True),
        (".", ".y", True),
        ("x.y", "x.y", False),
        ("x.y", "z.y", True),
        ("x.y", "x.z", True),
        ("x.y", "x.", False),  # the mark of ATOMIC expired, and with it all that began before it
        ("x", "x.y", True),  # ATOMIC was bound later, and a mark was set
        ("x.y", "x", False),
    ],
)
def test_something_is_void_if_there_is_a_mark_that_it_did_not_begin_under(began: str, current: str, void: bool) -> None:
    assert end_marks.is_void(began, current) is void


def test_two_marks_of_one_second_differ_and_say_when() -> None:
    one, other = end_marks.new(now=1000), end_marks.new(now=1000)

    assert one != other
    assert json.loads(one)["at"] == 1000
    assert end_marks.epoch(one) != end_marks.epoch(other)
    assert end_marks.epoch(None, one).startswith(".")


def test_an_unreadable_mark_ends_what_began_before_it(stage: Stage) -> None:
    browser = stage.logged_in()
    stage.edge.kv("USERS").put(end_marks.key(stage.ann.id), "\x00 not json")

    assert not is_logged_in(browser)
    assert is_logged_in(stage.logged_in())


@pytest.mark.parametrize("began", ["", "a", ".b", "a.b", "."])
def test_the_registration_of_a_client_is_beside_the_marks_of_its_user(began: str) -> None:
    given = end_marks.for_client(began, "r1")

    assert end_marks.is_of(given, "r1")
    assert not end_marks.is_of(given, "r2")
    assert not end_marks.is_of(given, "")
    assert not end_marks.is_of(began, "r1")
    assert end_marks.is_of(began, "")
    assert end_marks.for_client(given, "r1") == given
    assert end_marks.for_client(began, "") == began
    for current in ("", "a", "a.b", "c", ".c"):
        assert end_marks.is_void(given, current) == end_marks.is_void(began, current)
