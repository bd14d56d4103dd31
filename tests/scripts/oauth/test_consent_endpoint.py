"""Consent at /code, and when it is asked for: attacks O7 and O19, and defect 2 of the original."""

from collections.abc import Iterator

import pytest

from edgeworker.config import JSON
from issuer import csrf, users
from tests.scripts.oauth.auth_stage import HASH, ISSUER, Browser, Stage, answered, request, set_up, variables

TRUSTED: dict[str, JSON] = {
    "client_id": "own",
    "token_endpoint_auth_method": "none",
    "redirect_uris": ["https://own.example.net/cb"],
    "scope": "openid",
    "consent": "skip",
}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with set_up(variables(TRUSTED)) as made:
        yield made


def code_path(**changes: str | None) -> str:
    return request(**changes).replace("/authorize", "/code", 1)


def allow(browser: Browser, **changes: str | None) -> dict[str, str]:
    """The answer to the request, which asks for consent."""
    assert "wants to use your account" in browser.open(request(**changes)).text
    return answered(browser.submit(decision="allow"))


def test_consent_is_a_posted_form_and_no_link(stage: Stage) -> None:
    browser = stage.logged_in(request())

    assert browser.reply is not None
    assert 'href="/code' not in browser.reply.text
    reply = browser.open(code_path(), follow=False)
    assert (reply.status, reply.headers.get("allow"), reply.headers.get("location")) == (405, "POST", None)


def test_who_denies_is_sent_back_without_a_code(stage: Stage) -> None:
    browser = stage.logged_in(request())
    answer = answered(browser.submit(decision="deny"))

    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "s-1", ISSUER)
    assert "code" not in answer
    assert "wants to use your account" in browser.open(request()).text  # nothing was remembered


def test_who_cancels_the_login_is_sent_back_without_a_code(stage: Stage) -> None:
    browser = stage.browser()
    browser.open(request())

    assert answered(browser.submit(action="cancel", email="", password=""))["error"] == "access_denied"


@pytest.mark.parametrize("given", [None, "", "x" * 43, "other"])
def test_consent_without_the_forms_own_token_is_none(stage: Stage, given: str | None) -> None:
    browser = stage.logged_in(request())
    fields = {"decision": "allow"} | ({} if given is None else {"csrf": given})

    reply = browser.post(code_path(), fields, follow=False)

    assert (reply.status, reply.headers.get("location")) == (403, None)
    assert "c:" not in stage.stored()


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": "openid orders.read email"},
        {"redirect_uri": "https://shop.example.net/callback/two"},
        {"state": "other"},
        {"nonce": "other"},
        {"code_challenge": "x" * 43},
        {"resource": "https://other.example.com"},
        {"client_id": "own", "redirect_uri": "https://own.example.net/cb", "scope": "openid"},
    ],
)
def test_consent_to_one_request_is_none_to_another(stage: Stage, changes: dict[str, str | None]) -> None:
    browser = stage.logged_in(request())
    _, fields = browser.form()

    reply = browser.post(code_path(**changes), fields | {"decision": "allow"}, follow=False)

    assert (reply.status, reply.headers.get("location")) == (403, None)


def test_the_token_of_one_form_opens_no_other(stage: Stage) -> None:
    browser = stage.logged_in("/logout")
    _, fields = browser.form()

    assert browser.post(code_path(), fields | {"decision": "allow"}).status == 403


def test_the_form_of_another_session_is_none(stage: Stage) -> None:
    thief, victim = stage.logged_in(request()), stage.logged_in(request())
    _, fields = thief.form()

    assert victim.post(code_path(), fields | {"decision": "allow"}).status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_that_another_site_sends_is_none(stage: Stage, site: str) -> None:
    browser = stage.logged_in(request())

    assert browser.submit(decision="allow", headers={"Sec-Fetch-Site": site}).status == 403
    browser.open("/logout")
    assert browser.submit(action="logout", headers={"Sec-Fetch-Site": site}).status == 403
    fresh = stage.browser()
    fresh.open("/login")
    assert fresh.submit(email="ann@example.com", headers={"Sec-Fetch-Site": site}).status == 403


def test_a_login_form_of_another_browser_is_none(stage: Stage) -> None:
    """Otherwise a user could be logged in as the attacker without noticing."""
    attacker, victim = stage.browser(), stage.browser()
    attacker.open("/login")
    victim.open("/login")
    _, fields = attacker.form()
    filled = fields | {"email": "ann@example.com", "password": "correct horse battery", "action": "login"}

    assert "The form was too old" in victim.post("/login", filled).text
    assert "__Host-oauth-session" not in victim.cookies
    without = stage.browser()
    assert without.post("/login", filled).status == 403


def test_what_was_allowed_once_is_not_asked_again(stage: Stage) -> None:
    browser = stage.logged_in()
    allow(browser)

    assert "code" in answered(browser.open(request(state="s-2")))
    assert "code" in answered(browser.open(request(scope="openid", prompt="none")))
    assert "wants to use your account" in browser.open(request(scope="openid email")).text
    assert "wants to use your account" in browser.open(request(resource="https://api.example.com")).text
    assert "wants to use your account" in browser.open(request(prompt="consent")).text
    assert answered(browser.open(request(scope="openid email", prompt="none")))["error"] == "consent_required"


def test_consent_is_one_users_to_one_client(stage: Stage) -> None:
    allow(stage.logged_in())
    stage.add(users.new("bob@example.com", HASH, now=1))
    bob = stage.browser()
    bob.open(request())

    assert "wants to use your account" in bob.login("bob@example.com").text
    ann = stage.logged_in()
    native = request(client_id="native", redirect_uri="http://127.0.0.1:1/cb")
    assert "wants to use your account" in ann.open(native).text


def test_a_client_that_nothing_proves_asks_each_time(stage: Stage) -> None:
    """RFC 8252 section 8.6: any program on the machine can take a loopback address."""
    browser = stage.logged_in()
    native = {"client_id": "native", "redirect_uri": "http://127.0.0.1:1/cb"}
    page = browser.open(request(**native))
    assert "It will ask each time." in page.text
    assert "code" in answered(browser.submit(decision="allow"), "http://127.0.0.1:1/cb")

    assert "wants to use your account" in browser.open(request(**native)).text


def test_a_client_of_the_house_asks_nothing(stage: Stage) -> None:
    browser = stage.logged_in()
    own = {"client_id": "own", "redirect_uri": "https://own.example.net/cb", "scope": "openid"}

    assert "code" in answered(browser.open(request(**own)), "https://own.example.net/cb")
    assert "wants to use your account" in browser.open(request(**own, prompt="consent")).text


def test_prompt_none_never_shows_a_page(stage: Stage) -> None:
    stranger = stage.browser()
    assert answered(stranger.open(request(prompt="none")))["error"] == "login_required"
    browser = stage.logged_in()
    assert answered(browser.open(request(prompt="none")))["error"] == "consent_required"
    allow(browser)
    assert "code" in answered(browser.open(request(prompt="none")))
    assert answered(browser.open(request(prompt="none", max_age="0")))["error"] == "login_required"
    stage.clock.advance(100)
    assert answered(browser.open(request(prompt="none", max_age="99")))["error"] == "login_required"
    assert "code" in answered(browser.open(request(prompt="none", max_age="101")))
    hinted = answered(browser.open(request(prompt="none", id_token_hint="e30.e30.x")))
    assert hinted["error"] == "login_required"  # no one can tell which user it names


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "login consent"}])
def test_a_login_that_is_asked_for_has_to_be_made_for_this_request(stage: Stage, changes: dict[str, str]) -> None:
    browser = stage.logged_in()
    allow(browser)
    before = browser.cookies["__Host-oauth-session"]
    stage.clock.advance(5)

    page = browser.open(request(**changes))
    assert "<h1>Sign in</h1>" in page.text
    assert "sign in once more" in page.text
    after = browser.login()
    if "consent" in changes.get("prompt", ""):
        assert "wants to use your account" in after.text
        after = browser.submit(decision="allow")
    assert "code" in answered(after)
    assert browser.cookies["__Host-oauth-session"] != before

    # The same request a second time needs a second login.
    assert "<h1>Sign in</h1>" in browser.open(request(**changes)).text


def test_a_login_for_another_request_does_not_count(stage: Stage) -> None:
    browser = stage.logged_in()
    allow(browser)
    browser.open(request(prompt="login", state="one"))
    browser.login(follow=False)

    assert "<h1>Sign in</h1>" in browser.open(request(prompt="login", state="two")).text


def test_an_account_can_be_chosen(stage: Stage) -> None:
    browser = stage.logged_in()
    allow(browser)

    page = browser.open(request(prompt="select_account"))
    assert "Continue as <bdi>ann@example.com</bdi>" in page.text
    assert "code" in answered(browser.submit(action="continue"))
    assert "Choose an account" in browser.open(request(prompt="select_account")).text
    stage.add(users.new("bob@example.com", HASH, now=1))
    link = page.text.partition('<p class="note"><a href="')[2].partition('"')[0].replace("&amp;", "&")
    browser.open(link)
    assert "wants to use your account" in browser.login("bob@example.com").text
    assert browser.reply is not None
    assert "bob@example.com" in browser.reply.text


def test_a_choice_without_the_forms_token_is_none(stage: Stage) -> None:
    browser = stage.logged_in()
    allow(browser)
    chosen = request(prompt="select_account").replace("/authorize", "/login", 1)

    assert browser.post(chosen, {"action": "continue", "csrf": "x"}, follow=False).status == 403
    assert "Choose an account" in browser.open(request(prompt="select_account")).text


def test_consent_after_the_session_ended_begins_at_the_login(stage: Stage) -> None:
    browser = stage.logged_in(request())
    stage.clock.advance(1801)

    assert "<h1>Sign in</h1>" in browser.submit(decision="allow").text


def test_consent_does_not_replace_the_login_that_was_asked_for(stage: Stage) -> None:
    browser = stage.logged_in()
    query = request(prompt="login").partition("?")[2]
    forged = csrf.token(browser.cookies["__Host-oauth-session"], "consent", query.replace("+", "%20"))

    reply = browser.post("/code?" + query, {"csrf": forged, "decision": "allow"})

    assert "<h1>Sign in</h1>" in reply.text


def test_a_login_hint_is_written_into_the_form_and_believed_no_further(stage: Stage) -> None:
    browser = stage.browser()
    page = browser.open(request(login_hint="bob@example.com"))

    assert 'value="bob@example.com"' in page.text
    assert "ann@example.com" in browser.login("ann@example.com").text
