"""/logout: attacks O7 and O11, and what it ends."""

from collections.abc import Iterator

import pytest

from tests.scripts.oauth.auth_stage import Stage, answered, request, set_up

BYE = "https://shop.example.net/bye"
FROM_SHOP = "client_id=victoriasclient&post_logout_redirect_uri=https%3A%2F%2Fshop.example.net%2Fbye"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with set_up() as made:
        yield made


def test_a_mere_get_asks_and_ends_nothing(stage: Stage) -> None:
    browser = stage.logged_in("/logout")

    assert browser.reply is not None
    assert "<h1>Sign out?</h1>" in browser.reply.text
    assert "You are signed in" in browser.open("/login").text


def test_who_signs_out_is_out_and_the_cookie_is_worth_nothing(stage: Stage) -> None:
    browser = stage.logged_in("/logout")
    kept = dict(browser.cookies)
    assert "You are signed out" in browser.submit(action="logout").text

    assert "__Host-oauth-session" not in browser.cookies
    browser.cookies = kept
    assert "<h1>Sign in</h1>" in browser.open("/login").text


def test_who_stays_is_still_in(stage: Stage) -> None:
    browser = stage.logged_in("/logout")

    assert "You are signed in" in browser.submit(action="stay").text


@pytest.mark.parametrize("token", ["", "x", "x" * 43])
def test_a_form_of_another_page_ends_nothing(stage: Stage, token: str) -> None:
    browser = stage.logged_in()
    reply = browser.post("/logout", {"action": "logout", "csrf": token}, follow=False)

    assert "signed out" not in reply.text
    assert "You are signed in" in browser.open("/login").text


def test_an_app_gets_its_user_back_after_the_user_agreed(stage: Stage) -> None:
    browser = stage.logged_in(f"/logout?{FROM_SHOP}&state=a%20b%26c")
    assert browser.reply is not None
    assert "Victoria&#x27;s Shop</bdi></strong> asks to end your session" in browser.reply.text
    assert "form-action 'self' https://shop.example.net https://app.example.net;" in (
        browser.reply.headers.get("content-security-policy") or ""
    )

    reply = browser.submit(action="logout")

    assert reply.status == 303
    assert answered(reply, BYE) == {"state": "a b&c"}


def test_who_is_out_already_goes_on_at_once(stage: Stage) -> None:
    browser = stage.browser()

    assert browser.open(f"/logout?{FROM_SHOP}").headers.get("location") == BYE
    assert "You are signed out" in browser.open("/logout").text


@pytest.mark.parametrize(
    "query",
    [
        "client_id=victoriasclient&post_logout_redirect_uri=https%3A%2F%2Fevil.example%2Fbye",
        "client_id=victoriasclient&post_logout_redirect_uri=https%3A%2F%2Fshop.example.net%2Fbye%2F",
        "client_id=victoriasclient&post_logout_redirect_uri=https%3A%2F%2Fshop.example.net%2Fcallback",
        "client_id=victoriasclient&post_logout_redirect_uri=%2F%2Fevil.example",
        "client_id=victoriasclient&post_logout_redirect_uri=javascript%3Aalert(1)",
        "client_id=nobody&post_logout_redirect_uri=https%3A%2F%2Fshop.example.net%2Fbye",
        "post_logout_redirect_uri=https%3A%2F%2Fshop.example.net%2Fbye",
        "post_logout_redirect_uri=https%3A%2F%2Fshop.example.net%2Fbye&id_token_hint=e30.e30.x",
        FROM_SHOP + "&post_logout_redirect_uri=https%3A%2F%2Fevil.example",
        FROM_SHOP + "&state=1&state=2",
    ],
)
@pytest.mark.parametrize("logged_in", [True, False])
def test_it_leads_nowhere_that_is_not_registered(stage: Stage, query: str, logged_in: bool) -> None:
    browser = stage.logged_in() if logged_in else stage.browser()
    reply = browser.open(f"/logout?{query}", follow=False)

    assert (reply.status, reply.headers.get("location")) == (400, None)


def test_a_forged_hint_does_not_replace_the_question(stage: Stage) -> None:
    browser = stage.logged_in("/logout?id_token_hint=eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.")

    assert browser.reply is not None
    assert "<h1>Sign out?</h1>" in browser.reply.text


def test_a_posted_logout_request_of_an_app_asks_as_well(stage: Stage) -> None:
    browser = stage.logged_in()

    assert "<h1>Sign out?</h1>" in browser.post("/logout", FROM_SHOP).text


def test_apps_have_to_ask_again_when_the_user_says_so(stage: Stage) -> None:
    browser = stage.logged_in(request())
    browser.submit(decision="allow")
    assert "code" in answered(browser.open(request()))
    stage.clock.advance(1)
    browser.open("/logout")
    browser.submit(action="logout", everywhere="yes")

    again = stage.browser()
    again.open(request())
    assert "wants to use your account" in again.login().text
    stage.clock.advance(1)
    again.submit(decision="allow")
    assert "code" in answered(again.open(request()))
