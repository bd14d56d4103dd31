"""/login and /signup: attacks O8, O10, O11, O13 and O14, and defect 15 of the original."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.kdf import argon2

from edgeworker.config import JSON
from edgeworker.testing import FaultInjection, Reply
from issuer import users
from tests.scripts.oauth.auth_stage import (
    CALLBACK,
    HASH,
    ISSUER,
    PASSWORD,
    Stage,
    answered,
    request,
    set_up,
    variables,
)


def shown(reply: Reply) -> str:
    """A page's text without what is different each time."""
    return re.sub(r'name="csrf" value="[^"]*"|(?<= maxlength="254") value="[^"]*"', "", reply.text)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with set_up() as made:
        yield made


def test_a_login_sets_one_cookie_that_no_script_and_no_other_site_has(stage: Stage) -> None:
    browser = stage.browser()
    browser.open("/login")
    reply = browser.login(follow=False)

    lines = [line for line in reply.headers.get_all("set-cookie") if "Max-Age=0" not in line]
    assert len(lines) == 1
    assert re.fullmatch(r"__Host-oauth-session=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax; Secure", lines[0])
    assert browser.cookies["__Host-oauth-session"] not in stage.stored()


def test_on_http_loopback_the_cookie_has_a_plain_name(stage: Stage) -> None:
    with set_up(variables(ISSUER="http://auth.localhost:8787")) as plain:
        reply = plain.edge.get("http://localhost/login")

    assert (reply.headers.get("set-cookie") or "").startswith("oauth-form=")
    assert "Secure" not in (reply.headers.get("set-cookie") or "")


def test_after_a_login_and_after_consent_the_redirect_is_303(stage: Stage) -> None:
    browser = stage.browser()
    browser.open(request())
    login = browser.login(follow=False)
    assert login.status == 303
    location = login.headers.get("location") or ""
    assert location.startswith("/authorize?")  # relative, and built by us
    browser.open(location)
    assert browser.submit(decision="allow").status == 303


@pytest.mark.parametrize("where", ["next", "return_to", "returnTo", "redirect", "redirect_url", "continue", "url"])
@pytest.mark.parametrize("evil", ["//evil.example", "/\\evil.example", "/%09/evil.example", "https://evil.example"])
def test_nothing_in_the_address_decides_where_a_login_leads(stage: Stage, where: str, evil: str) -> None:
    browser = stage.browser()
    browser.open(f"/login?{where}={evil}")
    reply = browser.login(follow=False)

    assert (reply.status, reply.headers.get("location")) == (303, "/login")


def test_an_id_that_was_planted_before_is_worth_nothing_after_the_login(stage: Stage) -> None:
    thief = stage.logged_in()
    planted = thief.cookies["__Host-oauth-session"]
    victim = stage.browser()
    victim.cookies["__Host-oauth-session"] = planted
    stage.add(users.new("bob@example.com", HASH, now=1))

    victim.open("/login?x=1")  # shows the thief's session; the victim logs in as himself
    victim.open(request(prompt="login"))
    victim.login("bob@example.com")

    assert victim.cookies["__Host-oauth-session"] != planted
    thief.cookies = {"__Host-oauth-session": planted}
    assert "<h1>Sign in</h1>" in thief.open("/login").text


@pytest.mark.parametrize(
    "cookie", ["", "x", "a" * 43, "a" * 10_000, "../../x", '"', "a" * 43 + "; __Host-oauth-session=b"]
)
def test_a_made_up_session_is_none(stage: Stage, cookie: str) -> None:
    reply = stage.edge.get(ISSUER + "/login", headers={"Cookie": f"__Host-oauth-session={cookie}"})

    assert "<h1>Sign in</h1>" in reply.text


def test_a_second_cookie_of_the_name_makes_both_worth_nothing(stage: Stage) -> None:
    browser = stage.logged_in()
    real = browser.cookies["__Host-oauth-session"]
    reply = stage.edge.get(
        ISSUER + "/login", headers={"Cookie": f"__Host-oauth-session={real}; __Host-oauth-session={'a' * 43}"}
    )

    assert "<h1>Sign in</h1>" in reply.text


def test_a_cookie_without_the_prefix_is_not_read_on_https(stage: Stage) -> None:
    real = stage.logged_in().cookies["__Host-oauth-session"]

    assert "<h1>Sign in</h1>" in stage.edge.get(ISSUER + "/login", headers={"Cookie": f"oauth-session={real}"}).text


def test_a_session_ends_when_it_is_idle(stage: Stage) -> None:
    browser = stage.logged_in()
    for _ in range(5):
        stage.clock.advance(1799)
        assert "You are signed in" in browser.open("/login").text
    stage.clock.advance(1800)
    assert "<h1>Sign in</h1>" in browser.open("/login").text


def test_a_session_ends_at_last_however_much_it_is_used(stage: Stage) -> None:
    browser = stage.logged_in()
    for _ in range(43_200 // 1500):
        stage.clock.advance(1500)
        assert "You are signed in" in browser.open("/login").text
    stage.clock.advance(1200)
    assert "<h1>Sign in</h1>" in browser.open("/login").text


def test_a_disabled_user_is_out_at_once(stage: Stage) -> None:
    browser = stage.logged_in()
    record = users.record(stage.ann) | {"disabled": True}
    stage.add(users.parse(record))

    assert "<h1>Sign in</h1>" in browser.open(request()).text
    assert browser.login().status == 403


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ann@example.com", "wrong horse battery"),
        ("nobody@example.com", PASSWORD),
        ("off@example.com", PASSWORD),
        ("broken@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
        ("ann@example.com", ""),
        ("ann@example.com", "x" * 5000),
        ("ann@example.com\u202e", PASSWORD),
    ],
)
def test_who_cannot_log_in_is_told_the_same_whatever_the_reason(stage: Stage, email: str, password: str) -> None:
    off = users.record(users.new("off@example.com", HASH, now=1)) | {"disabled": True}
    stage.add(users.parse(off))
    stage.edge.kv("USERS").put(users.key("broken@example.com"), "{}")
    first = stage.browser()
    first.open("/login")
    expected = first.login("ann@example.com", "the wrong one")

    browser = stage.browser("203.0.113.9")
    browser.open("/login")
    reply = browser.login(email, password)

    assert (reply.status, shown(reply)) == (403, shown(expected))
    assert "E-mail address or password is wrong." in reply.text
    assert "__Host-oauth-session" not in browser.cookies


def test_a_password_is_hashed_for_an_account_that_is_not_there_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen from outside as time; here the hash is counted, which a busy machine does not disturb."""
    counted: list[object] = []
    real = argon2.Argon2id

    def counting(**options: object) -> object:
        counted.append(options["memory_cost"])
        return real(**options)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(argon2, "Argon2id", counting)
    for email in ("ann@example.com", "nobody@example.com", "no address"):
        browser = stage.browser()
        browser.open("/login")
        counted.clear()
        browser.login(email, "wrong horse battery")
        assert counted[-1:] == [19_456], email


def test_who_guesses_waits_longer_each_time(stage: Stage) -> None:
    browser = stage.browser()
    browser.open("/login")
    for _ in range(5):
        assert browser.login(password="wrong").status == 403

    refused = browser.login()
    assert refused.status == 429
    assert refused.headers.get("retry-after") == "15"
    assert "There were too many tries. Please wait 15 seconds." in refused.text
    assert 'role="alert"' in refused.text

    stage.clock.advance(15)
    assert browser.login(password="wrong").status == 403
    assert browser.login().headers.get("retry-after") == "30"
    stage.clock.advance(30)
    assert "You are signed in" in browser.login().text


def test_a_wait_is_the_same_for_an_account_that_is_not_there(stage: Stage) -> None:
    browser = stage.browser()
    browser.open("/login")
    statuses = [browser.login("nobody@example.com").status for _ in range(6)]

    assert statuses == [403] * 5 + [429]


def test_a_stranger_elsewhere_does_not_lock_the_person_out(stage: Stage) -> None:
    thief = stage.browser("203.0.113.9")
    thief.open("/login")
    for _ in range(6):
        thief.login(password="wrong")

    assert thief.login().status == 429
    assert "You are signed in" in stage.logged_in().open("/login").text


def test_another_isolate_knows_of_the_failures_too(stage: Stage) -> None:
    browser = stage.browser()
    browser.open("/login")
    for _ in range(5):
        browser.login(password="wrong")
    kept = {key: stage.edge.kv("TOKENS").get(key) or "" for key in iter(stage.edge.kv("TOKENS").keys())}
    assert len([key for key in kept if key.startswith("l:")]) == 2

    with set_up(start=stage.clock.now()) as other:
        for key, value in kept.items():
            other.edge.kv("TOKENS").put(key, value)
        again = other.browser()
        again.open("/login")
        assert again.login().status == 429
        other.clock.advance(15)
        assert "You are signed in" in again.login().text
        assert again.reply is not None
        # What worked leaves nothing behind of the account.
        assert len([key for key in iter(other.edge.kv("TOKENS").keys()) if key.startswith("l:")]) == 1


def test_an_address_that_tries_many_accounts_waits_too(stage: Stage) -> None:
    thief = stage.browser("2001:db8::1")
    thief.open("/login")
    with_limit = 0
    for number in range(52):
        stage.clock.advance(3)  # the rate limit of the address is another matter
        thief.address = f"2001:db8::{number:x}"  # a /64 is one client
        with_limit += thief.login(f"user{number}@example.com", "Password1").status == 429

    assert with_limit == 2


def test_many_tries_at_once_are_not_all_free(stage: Stage) -> None:
    browser = stage.browser()
    browser.open("/login")
    action, fields = browser.form()
    body = "&".join(
        f"{name}={value}" for name, value in {**fields, "email": "ann%40example.com", "password": "no"}.items()
    )
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"__Host-oauth-form={browser.cookies['__Host-oauth-form']}",
    }

    async def all_at_once() -> list[int]:
        tries = [
            stage.edge.fetch(
                ISSUER + action, method="POST", headers=headers, body=body + "&action=login", ip="192.0.2.1"
            )
            for _ in range(20)
        ]
        return [reply.status for reply in await asyncio.gather(*tries)]

    statuses = stage.edge.run(all_at_once())

    assert statuses.count(403) <= 5
    assert set(statuses) <= {403, 429}


def test_the_rate_limit_binding_is_asked_first(stage: Stage) -> None:
    browser = stage.browser()
    browser.open("/login")
    statuses = [browser.login(f"user{number}@example.com").status for number in range(32)]

    assert statuses == [403] * 30 + [429] * 2


def test_no_password_and_no_code_reaches_the_log(stage: Stage) -> None:
    browser = stage.browser()
    browser.open(request())
    browser.login(password="hunter2-hunter2")
    browser.login()
    code = answered(browser.submit(decision="allow"))["code"]

    said = "\n".join(str(line) for line in stage.edge.logs)
    assert "hunter2" not in said
    assert PASSWORD not in said
    assert code not in said
    assert browser.cookies["__Host-oauth-session"] not in said


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</title><b>", "\u202emoc.elpmaxe", "{x}"]
)
def test_what_comes_from_outside_is_text(text: str) -> None:
    evil: dict[str, JSON] = {
        "client_id": "evil",
        "client_name": text,
        "token_endpoint_auth_method": "none",
        "redirect_uris": ["https://shop.example.net/callback"],
        "scope": "openid",
    }
    scopes: dict[str, JSON] = {"openid": text, "email": text, "orders.read": text}
    with set_up(variables(evil, SCOPES=scopes, SIGNUP=True)) as stage:
        browser = stage.browser()
        asked = request(client_id="evil", scope="openid", login_hint=text, state=text)
        pages = [browser.open(asked).text, browser.login(text, text).text, browser.login().text]
        pages.append(stage.browser().open("/signup" + asked.removeprefix("/authorize")).text)
        browser.open(request(client_id=text))
        assert browser.reply is not None
        pages.append(browser.reply.text)

    for page in pages:
        for bad in ("<script", "<img", "</title><b>", "\u202e"):
            assert bad not in page
        assert page.count("<title>") == page.count("</title>") == 1


def test_every_page_has_the_fields_that_protect_it(stage: Stage) -> None:
    browser = stage.browser()
    replies = [browser.open(request()), browser.login(password="wrong"), browser.login()]
    replies += [browser.open(request(client_id="x")), browser.open("/nothing"), browser.open("/logout")]
    replies += [browser.post("/code", ""), browser.open(request(scope="x"))]

    for reply in replies:
        policy = reply.headers.get("content-security-policy") or ""
        assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'")
        assert "frame-ancestors 'none'; base-uri 'none'" in policy
        assert reply.headers.get("x-frame-options") == "DENY"
        assert reply.headers.get("referrer-policy") == "no-referrer"
        assert reply.headers.get("cache-control") == "no-store"
        assert reply.headers.get("x-content-type-options") == "nosniff"
        assert "<script" not in reply.text
        assert "style=" not in reply.text
    assert f"form-action 'self' {CALLBACK[:24]} https://app.example.net;" in (
        replies[2].headers.get("content-security-policy") or ""
    )


@pytest.mark.parametrize("faults", [FaultInjection(kv_failures=1.0), FaultInjection(kv_failures=0.5)])
def test_where_kv_does_not_answer_no_one_gets_in_and_the_page_says_so(faults: FaultInjection) -> None:
    with set_up(faults=faults, start=1_800_000_000) as stage:
        session = "__Host-oauth-session=" + "a" * 43
        for path in (request(), "/login", "/logout") * 4:
            reply = stage.edge.get(ISSUER + path, headers={"Cookie": session})
            assert reply.status in (200, 302, 503)
            if reply.status == 503:
                assert "Not available just now" in reply.text
                assert reply.headers.get("retry-after") == "5"
                assert reply.headers.get("cache-control") == "no-store"
