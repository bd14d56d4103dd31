"""How people sign in and out: addresses in every form, several tabs, old hashes, apps with old ID tokens."""

import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

import jwt
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from issuer import keys, passwords, users
from tests.scripts.oauth.auth_stage import (
    ISSUER,
    PASSWORD,
    Browser,
    Stage,
    answered,
    request,
    set_up,
    variables,
)
from tests.scripts.oauth.token_stage import START


@pytest.fixture
def stage() -> Iterator[Stage]:
    with set_up(workers=("auth", "token")) as made:
        yield made


# E-mail addresses

ADDRESSES = [
    ("ann@bücher.example", ["ann@xn--bcher-kva.example", "Ann@BÜCHER.example", "ann@bu\u0308cher.example"]),
    ("Ann.Larsson@example.com", ["ann.larsson@example.com", "ANN.LARSSON@EXAMPLE.COM", " ann.larsson@example.com "]),
    ("jörg@example.com", ["JÖRG@example.com", "jo\u0308rg@example.com"]),
    ("用户@例え.example", ["用户@xn--r8jz45g.example", "用户＠例え。example"]),
    ("ann@हिन्दी.example", ["ann@xn--j2bd4cyah0f.example"]),
]


@pytest.mark.parametrize(("stored", "typed"), [(stored, other) for stored, others in ADDRESSES for other in others])
def test_an_address_is_one_account_in_every_form(stage: Stage, stored: str, typed: str) -> None:
    stage.add(users.new(stored, stage.ann.password, now=0))
    browser = stage.browser()
    browser.open("/login")

    assert "You are signed in" in browser.submit(email=typed, password=PASSWORD, action="login").text


def test_a_second_account_of_another_spelling_cannot_be_made() -> None:
    with set_up(variables(SIGNUP="true")) as stage:
        browser = stage.browser()
        browser.open("/signup")

        reply = browser.submit(email="ANN@Example.COM", password=PASSWORD, name="")
        assert "There is an account with this address" in reply.text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@strasse.example", "ann@straße.example"),
        ("ann@example.com", "ann@xn--example-.com"),
        ("ann@example.com", "ann+x@example.com"),
        ("ann@example.com", "a.nn@example.com"),
    ],
)
def test_addresses_of_two_mailboxes_stay_two(one: str, other: str) -> None:
    assert users.key(one) != users.key(other)


def test_a_record_that_an_earlier_version_wrote_is_found(stage: Stage) -> None:
    old = users.new("Old.Ann@example.com", stage.ann.password, now=0)
    key = users.keys(old.email)[1]
    stage.edge.kv("USERS").put(key, json.dumps(users.record(old)))
    stage.edge.kv("USERS").put(users.id_key(old.id), key)
    browser = stage.browser()
    browser.open("/login")

    assert "You are signed in" in browser.login("Old.Ann@example.com").text


# Logout after a key rotation


def hint(client_id: str = "victoriasclient", sub: str = "u_x", issuer: str = ISSUER) -> str:
    """An ID token whose key is no longer published."""
    gone = keys.new(("RS256",), now=0).keys[0]
    payload = {"iss": issuer, "sub": sub, "aud": client_id, "iat": START, "exp": START + 600}
    return jwt.encode(payload, gone.private, "RS256", headers={"kid": gone.kid, "typ": "JWT"})


def test_a_logout_with_a_hint_of_a_former_key_asks(stage: Stage) -> None:
    to = quote("https://shop.example.net/bye", safe="")
    browser = stage.logged_in(f"/logout?post_logout_redirect_uri={to}&state=1&id_token_hint={hint(sub=stage.ann.id)}")

    assert browser.reply is not None
    assert "<h1>Sign out?</h1>" in browser.reply.text
    reply = browser.submit(action="logout", follow=False)
    assert reply.headers.get("location") == "https://shop.example.net/bye?state=1"


@pytest.mark.parametrize("token", ["e30.e30.x", "x", hint(issuer="https://evil.example")])
def test_a_hint_that_is_not_ours_leads_nowhere(stage: Stage, token: str) -> None:
    to = quote("https://shop.example.net/bye", safe="")
    browser = stage.logged_in()

    reply = browser.open(f"/logout?post_logout_redirect_uri={to}&id_token_hint={token}", follow=False)
    assert (reply.status, reply.headers.get("location")) == (400, None)


def test_a_forged_hint_does_not_make_an_unregistered_address_good(stage: Stage) -> None:
    to = quote("https://evil.example/", safe="")
    browser = stage.logged_in()

    assert browser.open(f"/logout?post_logout_redirect_uri={to}&id_token_hint={hint()}", follow=False).status == 400


# Several tabs


def tab_of(browser: Browser) -> Browser:
    """Another tab of the same browser: it shares the cookies."""
    return Browser(browser.edge, browser.address, browser.cookies)


def test_two_tabs_at_the_login_both_go_on(stage: Stage) -> None:
    one = stage.browser()
    one.open(request(state="one"))
    other = tab_of(one)
    other.open(request(state="other"))

    assert "wants to use your account" in one.login().text
    assert "wants to use your account" in other.login().text
    assert answered(other.submit(decision="allow"))["state"] == "other"
    assert answered(one.submit(decision="allow"))["state"] == "one"


def test_another_account_in_the_second_tab_is_not_taken_for_the_first(stage: Stage) -> None:
    stage.add(users.new("bob@example.com", stage.ann.password, now=0))
    one = stage.browser()
    one.open(request(state="one"))
    other = tab_of(one)
    other.open(request(state="other"))
    one.login()

    reply = other.login("bob@example.com")
    assert (reply.status, "<h1>Sign in</h1>" in reply.text) == (403, True)
    assert "bob@example.com" in other.login("bob@example.com").text


def test_a_consent_that_was_left_open_is_asked_again(stage: Stage) -> None:
    one = stage.logged_in(request())
    other = tab_of(one)
    other.open("/login")
    other.open("/logout")
    other.submit(action="logout")
    other.open("/login")
    other.login()

    reply = one.submit(decision="allow")
    assert (reply.status, "wants to use your account" in reply.text) == (403, True)
    assert "nothing was allowed" in reply.text
    assert "code" in answered(one.submit(decision="allow"))


# Passwords


@pytest.fixture
def derivations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which schemes cryptography was asked for, in order."""
    asked: list[str] = []

    def noting(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def made(*args: object, **options: object) -> object:
            asked.append(name)
            return real(*args, **options)

        return made

    monkeypatch.setattr(passwords, "Scrypt", noting("scrypt", Scrypt))
    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.argon2.Argon2id", noting("argon2id", Argon2id))
    return asked


@pytest.mark.skipif(passwords.best() == "scrypt", reason="only one scheme is available")
@pytest.mark.parametrize("stored", ["argon2id", "scrypt", None, "unusable"])
def test_every_login_hashes_alike(derivations: list[str], stored: str | None) -> None:
    known = {
        "argon2id": passwords.make(PASSWORD, scheme="argon2id"),
        "scrypt": passwords.make(PASSWORD, scheme="scrypt"),
        "unusable": "$scrypt$ln=30,r=8,p=3$" + "A" * 22 + "$" + "A" * 43,
        None: None,
    }[stored]
    derivations.clear()

    try:
        passwords.authenticate(known, "wrong")
    except passwords.BadHash:
        assert stored == "unusable"

    assert sorted(derivations) == ["argon2id", "scrypt"]


@pytest.mark.skipif(passwords.best() == "scrypt", reason="there is nothing to renew to")
def test_a_login_renews_the_hash_and_a_new_password_undoes_that(stage: Stage) -> None:
    stage.add(users.parse(users.record(stage.ann) | {"password": passwords.make(PASSWORD, scheme="scrypt")}))
    key = users.renewed_key(stage.ann.id)
    assert stage.edge.kv("USERS").get(key) is None

    stage.logged_in()

    assert "$argon2id$" in (stage.edge.kv("USERS").get(key) or "")
    stage.logged_in()
    stage.add(users.parse(users.record(stage.ann) | {"password": passwords.make("quite another one")}))
    browser = stage.browser()
    browser.open("/login")
    assert "is wrong" in browser.login().text
    assert "You are signed in" in browser.login(password="quite another one").text


def test_a_wrong_password_renews_nothing(stage: Stage) -> None:
    stage.add(users.parse(users.record(stage.ann) | {"password": passwords.make(PASSWORD, scheme="scrypt")}))
    browser = stage.browser()
    browser.open("/login")
    browser.login(password="wrong")

    assert stage.edge.kv("USERS").get(users.renewed_key(stage.ann.id)) is None
