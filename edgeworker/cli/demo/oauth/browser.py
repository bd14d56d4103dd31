"""A person's browser, as far as a login needs one: it keeps cookies, reads forms, and submits them as it was asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

from edgeworker.cli.demo import wire

MAX_REDIRECTS: Final = 10
_REDIRECTS: Final = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Button:
    """What a press adds to the form."""

    name: str
    value: str
    text: str


@dataclass(slots=True)
class Form:
    """`fields` are what is filled in already, hidden fields among them. `names` are those that a person can fill in."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser shows: the answer at `url`. `text` is what a person reads."""

    url: str
    answer: wire.WireResponse
    forms: list[Form]
    title: str
    text: str

    @property
    def status(self) -> int:
        return self.answer.status

    def form_with(self, *names: str) -> Form:
        """Raises LookupError where no form asks for all of these."""
        for form in self.forms:
            if set(names) <= {*form.names, *(button.name for button in form.buttons)}:
                return form
        raise LookupError(f'the page "{self.title}" at {self.url} ({self.status}) has no form with {", ".join(names)}')


class Browser:
    """Every host is this machine's edge at `edge_url`, except those of `elsewhere` (origin -> base URL).

    Redirects are followed, and those that lead to `elsewhere` as well: the applications live there.
    """

    def __init__(self, edge_url: str, elsewhere: Mapping[str, str] | None = None) -> None:
        self._edge_url = edge_url
        self._elsewhere = dict(elsewhere or {})
        self._cookies: dict[str, dict[str, str]] = {}
        # Where each redirect of the last call led, and what it was.
        self.went: list[tuple[int, str]] = []

    def open(self, url: str) -> Page:
        return self._follow("GET", url, None, {"Sec-Fetch-Site": "none"})

    def submit(self, page: Page, form: Form, values: Mapping[str, str], button: Button | None = None) -> Page:
        """Fills in `values` and presses `button`. Raises LookupError for a field that the form does not have."""
        if unknown := set(values) - set(form.names):
            raise LookupError(f"the form has no field {', '.join(sorted(unknown))}; it has: {', '.join(form.names)}")
        pairs = {**form.fields, **values}
        if button is not None and button.name:
            pairs[button.name] = button.value
        target = urljoin(page.url, form.action)
        if form.method == "get":
            return self._follow("GET", target.partition("?")[0] + "?" + urlencode(pairs), None, {})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": _origin(page.url)}
        return self._follow("POST", target, urlencode(pairs).encode(), {**headers, "Sec-Fetch-Site": "same-origin"})

    def cookies(self, url: str) -> dict[str, str]:
        """Those that would be sent there."""
        return dict(self._cookies.get(urlsplit(url).netloc, {}))

    def _follow(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Page:
        self.went = []
        for _ in range(MAX_REDIRECTS):
            answer = self._call(method, url, body, headers)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or location is None:
                return _page(url, answer)
            url = urljoin(url, location)
            self.went.append((answer.status, url))
            if answer.status not in (307, 308):
                method, body, headers = "GET", None, {}
        raise LookupError(f"more than {MAX_REDIRECTS} redirects, the last one to {url}")

    def _call(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> wire.WireResponse:
        parts = urlsplit(url)
        kept = self._cookies.setdefault(parts.netloc, {})
        sent = {"Host": parts.netloc, "Accept": "text/html", "User-Agent": "edgeworker-demo-browser", **headers}
        if kept:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        answer = wire.call(self._elsewhere.get(_origin(url), self._edge_url), method, target, sent, body)
        for line in answer.cookies:
            _keep(kept, line)
        return answer


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _keep(kept: dict[str, str], line: str) -> None:
    """One Set-Cookie field. A cookie without a life is one that goes."""
    try:
        found = SimpleCookie(line)
    except CookieError:
        return
    for name, morsel in found.items():
        if morsel["max-age"] == "0" or not morsel.value:
            kept.pop(name, None)
        else:
            kept[name] = morsel.value


def _page(url: str, answer: wire.WireResponse) -> Page:
    reader = _Reader()
    if answer.headers.get("content-type", "").startswith("text/html"):
        reader.feed(answer.body.decode("utf-8", "replace"))
        reader.close()
    return Page(url, answer, reader.forms, reader.title.strip(), " ".join(" ".join(reader.texts).split()))


class _Reader(HTMLParser):
    """Finds the forms of a page, and what a person reads."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.title = ""
        self.texts: list[str] = []
        self._form: Form | None = None
        self._inside: list[str] = []
        self._button: dict[str, str | None] | None = None
        self._button_text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("title", "style", "script"):
            self._inside.append(tag)
        elif tag == "form":
            method = (values.get("method") or "get").lower()
            self._form = Form(values.get("action") or "", method)
            self.forms.append(self._form)
        elif self._form is not None and tag in ("input", "textarea", "select"):
            self._field(self._form, values)
        elif self._form is not None and tag == "button":
            self._button, self._button_text = values, ""

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()
        elif tag == "form":
            self._form = None
        elif tag == "button" and self._button is not None:
            values, self._button = self._button, None
            if self._form is not None and (values.get("type") or "submit") == "submit":
                text = " ".join(self._button_text.split())
                self._form.buttons.append(Button(values.get("name") or "", values.get("value") or "", text))

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self._button_text += data
        if not self._inside:
            self.texts.append(data)
        elif self._inside[-1] == "title":
            self.title += data

    def _field(self, form: Form, values: Mapping[str, str | None]) -> None:
        kind, name, value = (values.get("type") or "text").lower(), values.get("name") or "", values.get("value") or ""
        if kind == "submit":
            form.buttons.append(Button(name, value, value))
        elif name:
            if kind not in ("checkbox", "radio") or "checked" in values:
                form.fields[name] = value or ("on" if kind == "checkbox" else "")
            if kind != "hidden":
                form.names.append(name)
