"""A request to the auth worker: its form, its session, and whether a form is its own."""

import pytest

from issuer import cookies, csrf, html_responses
from issuer.clients import RegisteredClient
from issuer.form_parameters import MAX_PAGE_BYTES
from issuer.page_context import PageContext, PageError, app
from tests.scripts.oauth.auth_stage import CALLBACK, ISSUER
from tests.scripts.oauth.in_memory import Stores, ann, auth_settings, page_context
from tests.scripts.oauth.token_stage import START

SECRET = "s" * 43


def cookie(kind: str, secret: str = SECRET) -> str:
    return cookies.put(kind, secret, ISSUER).partition(";")[0]


async def logged_in(**changes: object) -> tuple[Stores, PageContext]:
    stores = Stores()
    user = stores.add(ann(**changes))
    before = page_context(stores)
    epoch = await before.store.epoch(user.id)
    session_id, _ = await before.sessions.start(user.id, login_for="", epoch=epoch, now=START)
    return stores, page_context(stores, cookie=cookie(cookies.SESSION, session_id))


async def test_a_session_names_its_user() -> None:
    _, context = await logged_in()

    assert (signed_in := await context.signed_in()) is not None
    assert signed_in.user.email == "ann@example.com"
    assert signed_in.session_id == context.session_id


@pytest.mark.parametrize("end", ["disabled", "deleted", "marked", "ended", "no cookie"])
async def test_a_user_who_may_not_log_in_is_not_signed_in(end: str) -> None:
    stores, context = await logged_in(disabled=end == "disabled")
    match end:
        case "deleted":
            stores.users.entries.clear()
        case "marked":
            user_id = next(key for key in stores.users.entries if key.startswith("i:"))[2:]
            await context.store.end_all(user_id, now=START)
        case "ended":
            await context.sessions.end(context.session_id)
        case "no cookie":
            context = page_context(stores)
        case _:
            pass

    assert await context.signed_in() is None


def test_a_browser_gets_one_form_secret() -> None:
    context = page_context(Stores())

    secret = context.form_secret()

    assert context.cookies == [cookies.put(cookies.FORM, secret, ISSUER)]
    again = page_context(Stores(), cookie=cookie(cookies.FORM, secret))
    assert (again.form_secret(), again.cookies) == (secret, [])


def form() -> bytes:
    return f"csrf={csrf.token(SECRET, 'login', 'a=1')}&email=ann".encode()


@pytest.mark.parametrize(
    ("sent_from", "given", "purpose", "query", "expected"),
    [
        (None, SECRET, "login", "a=1", True),
        ("same-origin", SECRET, "login", "a=1", True),
        ("none", SECRET, "login", "a=1", True),
        # https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header
        ("same-site", SECRET, "login", "a=1", False),
        ("cross-site", SECRET, "login", "a=1", False),
        (None, "o" * 43, "login", "a=1", False),
        (None, SECRET, "signup", "a=1", False),
        (None, SECRET, "login", "a=2", False),
        (None, None, "login", "a=1", False),
    ],
)
async def test_a_form_is_accepted_from_where_it_was_shown(
    sent_from: str | None, given: str | None, purpose: str, query: str, expected: bool
) -> None:
    sent = None if given is None else cookie(cookies.FORM, given)
    context = page_context(Stores(), method="POST", cookie=sent, form=form(), fetch_site=sent_from)

    assert await context.is_own_anonymous_form(purpose, query) is expected


async def test_a_token_that_is_there_twice_is_none() -> None:
    twice = form() + b"&csrf=x"
    context = page_context(Stores(), method="POST", cookie=cookie(cookies.FORM), form=twice)

    assert not await context.is_own_anonymous_form("login", "a=1")


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"a=1", "text/plain", 415),
        (b"a=1", None, 415),
        (b"a=" + b"x" * MAX_PAGE_BYTES, "application/x-www-form-urlencoded", 413),
        (b"a=%FF", "application/x-www-form-urlencoded; charset=latin1", 400),
        (b"a&" * 101, "application/x-www-form-urlencoded", 400),
    ],
)
async def test_a_form_that_cannot_be_read_is_a_page(content: bytes, content_type: str | None, status: int) -> None:
    context = page_context(Stores(), method="POST", form=content, content_type=content_type)

    with pytest.raises(PageError) as raised:
        await context.body()

    assert raised.value.status == status


async def test_a_body_is_read_once() -> None:
    context = page_context(Stores(), method="POST", form=b"a=1")

    assert await context.body() is await context.body()


def test_a_query_that_cannot_be_read_is_a_page() -> None:
    with pytest.raises(PageError, match="This request cannot be read"):
        page_context(Stores(), query="a=%FF").query()


@pytest.mark.parametrize(
    ("issuer", "path", "host"),
    [
        (ISSUER, "/login?a=1", "auth.example.com"),
        (f"{ISSUER}/tenant", "/tenant/login?a=1", "auth.example.com"),
        ("http://auth.localhost:8787", "/login?a=1", "auth.localhost:8787"),
    ],
)
def test_links_lead_below_the_issuer_whatever_the_request_says(issuer: str, path: str, host: str) -> None:
    context = page_context(Stores(), known=auth_settings(ISSUER=issuer), path="//evil.example/")

    assert context.path("/login", "a=1") == path
    assert context.frame.host == host


def test_a_page_carries_where_its_form_may_lead() -> None:
    context = page_context(Stores())
    made = context.page("text", status=429, form_source="https://a.example", retry_after=5)

    assert made == html_responses.page("text", status=429, form_source="https://a.example", retry_after_seconds=5)


@pytest.mark.parametrize(
    ("name", "uri", "shown", "place"),
    [("Shop", CALLBACK, "Shop", "shop.example.net"), ("", "", "shop", ""), ("", "com.app:/cb", "shop", "com.app")],
)
def test_an_app_is_shown_by_its_name_or_its_id(name: str, uri: str, shown: str, place: str) -> None:
    made = app(RegisteredClient("shop", client_name=name), uri)

    assert (made.name, made.client_id, made.place) == (shown, "shop", place)
