"""The pages: nothing comes in unescaped, and they can be read without seeing them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer import auth_pages, style
from issuer.pages import App, Frame, HTMLMarkup, Person, PostForm, fill, message

FRAME = Frame("/base", "auth.example.com")
FORM = PostForm("/base/login?a=1&b=2", "token")
APP = App("Shop", "shop", "shop.example.net")
ANN = Person("Ann", "ann@example.com")

PAGES = {
    "login": auth_pages.login(FRAME, FORM, app=APP, email="", faults={"email": "Wrong."}, signup="/signup"),
    "choose": auth_pages.choose_account(FRAME, FORM, app=APP, who=ANN, other="/x"),
    "consent": auth_pages.consent(
        FRAME,
        FORM,
        app=APP,
        who=ANN,
        permissions=["See it"],
        resource=["https://a.example"],
        other="/x",
        remembered=True,
    ),
    "signup": auth_pages.signup(
        FRAME, FORM, app=None, email="", name="", faults={"password": "Short.", "": "All."}, login="/login"
    ),
    "account": auth_pages.account(FRAME, who=ANN, logout="/logout"),
    "logout": auth_pages.confirm_logout(FRAME, FORM, who=ANN, app=APP),
    "form_post": auth_pages.form_post(FRAME, app=APP, action="https://shop.example.net/cb", parameters={"code": "c"}),
    "message": message(FRAME, "Title", "Text.", details="More."),
}


@given(st.text(max_size=30))
def test_any_text_is_only_text(text: str) -> None:
    made = fill("<p>{text}</p>", text=text)

    assert made[3:-4].count("<") == 0
    assert not re.search("[<>\"'\x00-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", made[3:-4])
    assert fill("{made}", made=HTMLMarkup("<b>")) == "<b>"
    made.encode("utf-8")


def test_scripts_of_the_world_and_emoji_are_left_as_they_are() -> None:
    for text in ("Blåbärssoppa", "می‌خواهم", "👩‍💻", "日本", "שלום", "é"):
        assert fill("{text}", text=text) == text


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_a_language_a_title_one_heading_and_no_script(name: str) -> None:
    page = PAGES[name]

    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert re.search(r"<title>[^<]+ – auth\.example\.com</title>", page)
    assert page.count("<h1>") == page.count("<main>") == 1
    assert not re.search(r"<script|javascript:| on\w+=|style=|<img|<iframe|http-equiv", page)
    assert f'href="/base/style.css?v={style.VERSION}"' in page


@pytest.mark.parametrize("name", PAGES)
def test_every_field_has_a_label_and_what_it_refers_to_is_there(name: str) -> None:
    page = PAGES[name]
    ids = re.findall(r' id="([^"]*)"', page)

    assert len(ids) == len(set(ids))
    for identifier in re.findall(r'<input id="([^"]*)"', page):
        assert f'<label for="{identifier}">' in page
    for referred in re.findall(r' aria-(?:describedby|labelledby)="([^"]*)"', page):
        assert set(referred.split()) <= set(ids)
    for target in re.findall(r'href="#([^"]*)"', page):
        assert target in ids


def test_faults_are_announced_and_lead_to_their_fields() -> None:
    page = PAGES["signup"]

    assert page.count('role="alert"') == 1
    assert '<a href="#password">Short.</a>' in page
    assert "<title>Error: Create an account" in page
    assert re.search(r'<input id="password"[^>]* aria-describedby="password-hint faults" aria-invalid="true">', page)
    assert not re.search(r'<input id="email"[^>]* aria-invalid', page)


def test_browsers_are_told_what_the_fields_hold() -> None:
    assert re.search(r'id="email" name="email" type="text" inputmode="email" autocomplete="username"', PAGES["login"])
    assert 'autocomplete="current-password"' in PAGES["login"]
    assert 'autocomplete="new-password"' in PAGES["signup"]
