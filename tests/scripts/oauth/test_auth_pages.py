"""Each page with a form: what it shows, what it sends, and nothing that came in becomes markup."""

import html
import re

import pytest

from issuer import auth_pages
from issuer.pages import App, Frame, Person, PostForm

FRAME = Frame("", "auth.example.com")
FORM = PostForm("/login?a=1&b=2", "token")
APP = App("Shop", "shop-id", "shop.example.net")
ANN = Person("Ann", "ann@example.com")
EVIL = '"><script>alert(1)</script>'
NO_FAULTS: dict[str, str] = {}


def login(
    *, app: App | None = APP, email: str = "", faults: dict[str, str] = NO_FAULTS, reason: str = "", signup: str = ""
) -> str:
    return auth_pages.login(FRAME, FORM, app=app, email=email, faults=faults, reason=reason, signup=signup or None)


def consent(*, permissions: tuple[str, ...] = (), resource: tuple[str, ...] = (), remembered: bool = True) -> str:
    return auth_pages.consent(
        FRAME,
        FORM,
        app=APP,
        who=ANN,
        permissions=permissions,
        resource=resource,
        other="/login?prompt=login&x=1",
        remembered=remembered,
    )


def buttons(page: str) -> list[tuple[str, str]]:
    return re.findall(r'<button[^>]* name="(\w+)" value="(\w+)"', page)


def test_a_form_is_posted_with_its_token_to_its_own_request() -> None:
    page = login()

    assert '<form method="post" action="/login?a=1&amp;b=2">' in page
    assert '<input type="hidden" name="csrf" value="token">' in page


def test_a_login_for_an_app_can_be_cancelled() -> None:
    """The app is told access_denied; without an app there is no one to tell."""
    assert buttons(login()) == [("action", "login"), ("action", "cancel")]
    assert buttons(login(app=None)) == [("action", "login")]


def test_the_address_is_kept_after_a_fault_and_the_password_is_not() -> None:
    page = login(email="ann@example.com", faults={"email": "Wrong."})

    assert 'value="ann@example.com"' in page
    assert not re.search(r'type="password"[^>]* value=', page)
    assert "<title>Error: Sign in" in page
    assert "<title>Error" not in login()


def test_a_login_says_why_it_is_asked_for_again() -> None:
    assert "<p>Sign in once more.</p>" in login(reason="Sign in once more.")


def test_an_account_can_be_made_only_where_that_is_allowed() -> None:
    assert '<a href="/signup?a=1&amp;b=2">' in login(signup="/signup?a=1&b=2")
    assert "Create one" not in login()


def test_a_user_chooses_the_account_that_is_shown_or_another_one() -> None:
    page = auth_pages.choose_account(FRAME, FORM, app=APP, who=ANN, other="/login?prompt=login")

    assert buttons(page) == [("action", "continue")]
    assert "Continue as <bdi>ann@example.com</bdi>" in page
    assert '<a href="/login?prompt=login">Use another account</a>' in page


def test_consent_names_the_app_its_id_and_where_one_goes_on_to() -> None:
    """A name can be chosen; the id and the host cannot."""
    page = consent()

    assert "<bdi>Shop</bdi> wants to use your account" in page
    assert "<code><bdi>shop-id</bdi></code>" in page
    assert "Either way you go on to <strong><bdi>shop.example.net</bdi></strong>" in page
    assert buttons(page) == [("decision", "allow"), ("decision", "deny")]


def test_consent_lists_what_is_allowed_and_where() -> None:
    page = consent(permissions=("See your orders", EVIL), resource=("https://api.example.com",))

    assert "<li><span>See your orders</span></li>" in page
    assert "<li><code>https://api.example.com</code></li>" in page
    assert "It asks for no particular permission" not in page
    assert "<script" not in page


def test_consent_to_nothing_says_so() -> None:
    page = consent()

    assert "<p>It asks for no particular permission.</p>" in page
    assert "For use at" not in page


@pytest.mark.parametrize(
    ("remembered", "text"),
    [(True, "It will not ask again for the same permissions."), (False, "It will ask each time.")],
)
def test_consent_says_whether_it_is_remembered(remembered: bool, text: str) -> None:
    assert text in consent(remembered=remembered)


def test_the_name_may_be_left_out_of_an_account() -> None:
    page = auth_pages.signup(FRAME, FORM, app=APP, email="", name="", faults={}, login="/login")
    fields = {name: attributes for name, attributes in re.findall(r'<input id="(\w+)"([^>]*)>', page)}

    assert [name for name, attributes in fields.items() if " required" not in attributes] == ["name"]
    assert 'minlength="8"' in fields["password"]


@pytest.mark.parametrize(
    ("app", "text"),
    [
        (None, "This ends your session in this browser."),
        (APP, "Afterwards you go on to <strong><bdi>shop.example.net</bdi></strong>."),
        (App("Shop", "shop-id", ""), "<strong><bdi>Shop</bdi></strong> asks to end your session here."),
    ],
)
def test_logging_out_is_asked_about(app: App | None, text: str) -> None:
    page = auth_pages.confirm_logout(FRAME, FORM, who=ANN, app=app)

    assert text in page
    assert ("Afterwards" in page) is (app is not None and app.place != "")
    assert buttons(page) == [("action", "logout"), ("action", "stay")]
    assert 'type="checkbox" id="everywhere"' in page


def test_consent_that_is_shown_again_says_why() -> None:
    again = auth_pages.consent(
        FRAME,
        FORM,
        app=APP,
        who=ANN,
        permissions=(),
        resource=(),
        other="/x",
        remembered=True,
        notice="The page was too old.",
    )

    assert "<p>The page was too old.</p>" in again
    assert 'role="alert"' not in consent()


@pytest.mark.parametrize(("faults", "title"), [({}, "Create"), ({"email": "Taken."}, "Error: Create")])
def test_a_title_says_first_that_something_is_wrong(faults: dict[str, str], title: str) -> None:
    page = auth_pages.signup(FRAME, FORM, app=None, email="", name="", faults=faults, login="/login")

    assert f"<title>{title} an account" in page


def test_an_answer_is_posted_with_all_its_parameters() -> None:
    """OAuth 2.0 Form Post Response Mode; there is no script, so a person sends it."""
    sent = {"code": "c", "state": EVIL, "iss": "https://auth.example.com"}

    page = auth_pages.form_post(FRAME, app=APP, action="https://shop.example.net/cb?x=1&y=2", parameters=sent)

    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    assert {name: html.unescape(value) for name, value in hidden} == sent
    assert 'action="https://shop.example.net/cb?x=1&amp;y=2"' in page
    assert "csrf" not in page  # it is ours, and the form leads to another server


PAGES = {
    "login": login(app=App(EVIL, EVIL, EVIL), email=EVIL, faults={"email": EVIL}, reason=EVIL, signup=EVIL),
    "choose": auth_pages.choose_account(FRAME, FORM, app=App(EVIL, EVIL, EVIL), who=Person(EVIL, EVIL), other=EVIL),
    "signup": auth_pages.signup(FRAME, FORM, app=APP, email=EVIL, name=EVIL, faults={"name": EVIL}, login=EVIL),
    "account": auth_pages.account(FRAME, who=Person(EVIL, EVIL), logout=EVIL),
    "logout": auth_pages.confirm_logout(FRAME, FORM, who=Person("", EVIL), app=App(EVIL, EVIL, EVIL)),
    "form_post": auth_pages.form_post(FRAME, app=App(EVIL, EVIL, EVIL), action=EVIL, parameters={EVIL: EVIL}),
}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_that_came_in_becomes_markup(name: str) -> None:
    assert "<script" not in PAGES[name]
    assert PAGES[name].count("&quot;&gt;&lt;script&gt;") + PAGES[name].count("&#34;&gt;&lt;script&gt;") > 0
