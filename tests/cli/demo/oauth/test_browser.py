import pytest

from edgeworker.cli.demo import wire
from edgeworker.cli.demo.oauth.browser import Browser

FORM = b"""<title>Log in</title><style>p { color: red }</style><p>Who is there?</p>
<form method="post" action="/login?x=1"><input type="hidden" name="csrf" value="c&amp;1">
<input name="email"><input type="password" name="password"><input type="checkbox" name="stay">
<button name="action" value="login">Log <b>in</b></button><button type="button" name="not">no</button></form>"""
HTML = {"content-type": "text/html; charset=utf-8"}


class Site:
    """Answers by path, and keeps what it was asked."""

    def __init__(self, **answers: wire.WireResponse) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, str, dict[str, str], bytes | None]] = []

    def call(
        self, base: str, method: str, target: str, headers: dict[str, str], body: bytes | None = None
    ) -> wire.WireResponse:
        self.asked.append((base, method, target, dict(headers), body))
        return self.answers[target.partition("?")[0].strip("/")]


def _site(monkeypatch: pytest.MonkeyPatch, **answers: wire.WireResponse) -> Site:
    site = Site(**answers)
    monkeypatch.setattr(wire, "call", site.call)
    return site


def test_a_form_is_submitted_as_it_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    site = _site(monkeypatch, form=wire.WireResponse(200, HTML, FORM), login=wire.WireResponse(200, HTML, b"<p>Hello"))
    browser = Browser("http://127.0.0.1:1")
    page = browser.open("http://auth.localhost:8787/form")
    form = page.form_with("email", "password", "action")

    shown = browser.submit(page, form, {"email": "ann@example.com", "password": "a b"}, form.buttons[0])

    assert (page.title, page.text) == ("Log in", "Who is there? Log in no")
    assert [button.text for button in form.buttons] == ["Log in"]
    base, method, target, headers, body = site.asked[-1]
    assert (base, method, target) == ("http://127.0.0.1:1", "POST", "/login?x=1")
    assert body == b"csrf=c%261&email=ann%40example.com&password=a+b&action=login"
    assert (headers["Host"], headers["Origin"]) == ("auth.localhost:8787", "http://auth.localhost:8787")
    assert shown.text == "Hello"


def test_a_field_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _site(monkeypatch, form=wire.WireResponse(200, HTML, FORM))
    browser = Browser("http://127.0.0.1:1")
    page = browser.open("http://auth.localhost/form")

    with pytest.raises(LookupError, match="the form has no field user; it has: email, password, stay"):
        browser.submit(page, page.forms[0], {"user": "ann"})
    with pytest.raises(
        LookupError, match=r'the page "Log in" at http://auth.localhost/form \(200\) has no form with card'
    ):
        page.form_with("card")


def test_cookies_are_kept_for_their_host_until_they_are_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    site = _site(
        monkeypatch,
        set=wire.WireResponse(200, HTML, b"", ["a=1; Path=/; HttpOnly", "b=2; Path=/"]),
        take=wire.WireResponse(200, HTML, b"", ["a=; Max-Age=0; Path=/"]),
    )
    browser = Browser("http://127.0.0.1:1")

    for url in ("http://x.test/set", "http://x.test/take", "http://x.test/set", "http://y.test/take"):
        browser.open(url)

    assert [headers.get("Cookie") for _, _, _, headers, _ in site.asked] == [None, "a=1; b=2", "b=2", None]


def test_a_redirect_after_a_form_is_a_get_and_may_lead_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    away = {"location": "http://127.0.0.1:3000/callback?code=1"}
    site = _site(
        monkeypatch,
        form=wire.WireResponse(200, HTML, FORM),
        login=wire.WireResponse(303, away, b""),
        callback=wire.WireResponse(200, HTML, b"back"),
    )
    browser = Browser("http://127.0.0.1:1", {"http://127.0.0.1:3000": "http://127.0.0.1:3000"})
    page = browser.open("http://auth.localhost/form")

    back = browser.submit(page, page.forms[0], {})

    assert site.asked[-1][:3] == ("http://127.0.0.1:3000", "GET", "/callback?code=1")
    assert "Origin" not in site.asked[-1][3]
    assert (back.text, browser.went) == ("back", [(303, "http://127.0.0.1:3000/callback?code=1")])


def test_redirects_in_a_circle_end(monkeypatch: pytest.MonkeyPatch) -> None:
    _site(monkeypatch, round=wire.WireResponse(302, {"location": "/round"}, b""))

    with pytest.raises(LookupError, match="more than 10 redirects"):
        Browser("http://127.0.0.1:1").open("http://auth.localhost/round")
