"""/signup: off unless it is on, and defect 15 of the original."""

import re

import pytest

from issuer import passwords, users
from tests.scripts.oauth.auth_stage import PASSWORD, request, set_up, variables


def test_no_one_signs_up_unless_that_is_on() -> None:
    with set_up() as stage:
        browser = stage.browser()

        assert browser.open("/signup").status == 404
        assert browser.post("/signup", "email=eve%40example.com&password=correct+horse").status == 404
        assert "Create one" not in browser.open("/login").text


def test_who_signs_up_is_logged_in_and_goes_on() -> None:
    with set_up(variables(SIGNUP=True)) as stage:
        browser = stage.browser()
        assert "Create one" in browser.open(request()).text
        browser.open("/signup" + request().removeprefix("/authorize"))
        page = browser.submit(email="Eve@Example.com", password="correct horse", name="Eve", action="signup")
        assert "wants to use your account" in page.text

        kept = stage.edge.kv("USERS").get(users.key("Eve@example.com")) or ""
        assert "correct horse" not in stage.stored()
        assert '"email_verified": false' in kept
        again = stage.browser()
        again.open("/login")
        assert "You are signed in" in again.login("Eve@example.com", "correct horse").text


@pytest.mark.parametrize(
    ("fields", "status", "named"),
    [
        ({"email": "no", "password": "correct horse"}, 422, {"email"}),
        ({"email": "e@example.com", "password": "short"}, 422, {"password"}),
        ({"email": "e@example.com", "password": "x" * 2000}, 422, {"password"}),
        ({"email": "", "password": "", "name": "x" * 300}, 422, {"email", "password", "name"}),
        ({"email": "ann@example.com", "password": "correct horse"}, 409, {"email"}),
    ],
)
def test_a_sign_up_that_cannot_be_is_told_at_its_field(fields: dict[str, str], status: int, named: set[str]) -> None:
    with set_up(variables(SIGNUP=True)) as stage:
        browser = stage.browser()
        browser.open("/signup")
        action, shown_fields = browser.form()
        reply = browser.post(action, shown_fields | {"action": "signup"} | fields)

        assert reply.status == status
        assert set(re.findall(r'<a href="#(\w+)">', reply.text)) == named
        assert set(re.findall(r'<input id="(\w+)"[^>]*aria-invalid="true"', reply.text)) == named
        assert passwords.matches(stage.ann.password, PASSWORD)
        assert reply.text.count('role="alert"') == 1
