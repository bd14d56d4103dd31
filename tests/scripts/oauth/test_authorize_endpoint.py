"""/authorize: attacks O1, O2, O3, O9, O14, O18, O20 and the defects 1, 3, 4, 5, 6, 7, 8 of the original."""

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeworker.config import JSON
from issuer import digests
from tests.scripts.oauth.auth_stage import (
    CALLBACK,
    CHALLENGE,
    ISSUER,
    Browser,
    Stage,
    answered,
    request,
    set_up,
    variables,
)
from tests.scripts.oauth.test_redirect_uris import REFUSED

PUBLIC: dict[str, JSON] = {
    "client_id": "spa",
    "token_endpoint_auth_method": "none",
    "redirect_uris": ["https://spa.example.net/cb"],
    "scope": "openid",
}
LOOSE: dict[str, JSON] = {
    "client_id": "loose",
    "secret_hashes": ["sha256:" + digests.digest("x")],
    "redirect_uris": ["https://loose.example.net/cb"],
    "require_pkce": False,
    "scope": "openid",
}
MACHINE: dict[str, JSON] = {
    "client_id": "machine",
    "secret_hashes": ["sha256:" + digests.digest("x")],
    "grant_types": ["client_credentials"],
    "redirect_uris": ["https://machine.example.net/cb"],
}
GONE: dict[str, JSON] = {**PUBLIC, "client_id": "gone", "disabled": True}
APP: dict[str, JSON] = {
    "client_id": "app",
    "token_endpoint_auth_method": "none",
    "redirect_uris": ["com.example.app:/cb"],
    "scope": "openid",
}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with set_up(variables(PUBLIC, LOOSE, MACHINE, GONE, APP)) as made:
        yield made


@pytest.fixture(scope="module")
def browser(stage: Stage) -> Browser:
    """Ann's, who has allowed victoriasclient what it asks for."""
    browser = stage.logged_in(request())
    assert answered(browser.submit(decision="allow"))
    return browser


def is_local(browser: Browser, path: str) -> bool:
    """A page of our own for a person, which leads nowhere."""
    reply = browser.open(path, follow=False)
    assert reply.headers.get("location") is None
    assert "<h1>This app cannot sign you in</h1>" in reply.text
    return reply.status == 400


@pytest.fixture
def new() -> Iterator[Stage]:
    """A server on which no user has allowed anything yet."""
    with set_up() as made:
        yield made


def test_a_request_is_answered_after_consent_with_code_state_and_issuer_alone(new: Stage) -> None:
    browser = new.browser()
    assert "<h1>Sign in</h1>" in browser.open(request()).text
    assert "wants to use your account" in browser.login().text

    answer = answered(browser.submit(decision="allow"))

    assert set(answer) == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("s-1", ISSUER)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", answer["code"])  # 256 bits


def test_a_code_is_kept_as_its_hash_with_all_that_it_stands_for_and_not_for_long(
    stage: Stage, browser: Browser
) -> None:
    code = answered(browser.open(request(nonce="n-2", prompt=None)))["code"]

    assert code not in stage.stored()
    record = json.loads(stage.edge.kv("CODES").get("c:" + digests.digest(code)) or "")
    assert (record["client_id"], record["user_id"], record["redirect_uri"]) == (
        "victoriasclient",
        stage.ann.id,
        CALLBACK,
    )
    assert (record["scope"], record["nonce"], record["code_challenge"]) == (["openid", "orders.read"], "n-2", CHALLENGE)
    assert record["expires_at"] == int(stage.clock.now()) + 60
    other = answered(browser.open(request()))["code"]
    assert other != code
    assert stage.edge.kv("CODES").get("c:" + digests.digest(other)) is not None  # the first one was not replaced


@pytest.mark.parametrize(
    "path",
    ["/x/authorize", "/authorize/", "/authorize-evil", "/token/authorize", "/AUTHORIZE", "/authorize/x", "//authorize"],
)
def test_only_the_path_itself_is_the_endpoint(browser: Browser, path: str) -> None:
    reply = browser.open(ISSUER + path + request().removeprefix("/authorize"), follow=False)

    assert reply.status == 404


@pytest.mark.parametrize("client_id", [None, "", "nobody", "gone", "u_AAAAAAAAAAAAAAAAAAAAAA", "a b", "\0", "x" * 3000])
def test_an_unknown_client_gets_no_redirect(browser: Browser, client_id: str | None) -> None:
    assert is_local(browser, request(client_id=client_id))


@pytest.mark.parametrize(
    "uri",
    [
        *(uri for uri, _ in REFUSED if uri),
        "https://evil.example/callback",
        "https://evil.shop.example.net/callback",
        CALLBACK + "/",
        CALLBACK + "/../callback",
        CALLBACK + "?x=1",
        CALLBACK + "#x",
        "https://shop.example.net@evil.example/callback",
        "https://shop.example.net\\@evil.example/callback",
        "https://shop.example.net:8443/callback",
        "https://shop.example.net./callback",
        "https://SHOP.example.net/callback",
        "http://shop.example.net/callback",
        "http://127.0.0.1/cb",
    ],
)
def test_an_address_that_is_not_registered_gets_no_redirect(browser: Browser, uri: str) -> None:
    assert is_local(browser, request(redirect_uri=uri))


def test_client_and_address_are_there_once(browser: Browser) -> None:
    assert is_local(browser, request() + "&redirect_uri=https%3A%2F%2Fevil.example")
    assert is_local(browser, request() + "&redirect_uri=")
    assert is_local(browser, request() + "&client_id=spa")


def test_an_address_can_be_left_out_where_one_is_registered(browser: Browser) -> None:
    assert is_local(browser, request(redirect_uri=None))  # this client has two
    reply = browser.open(request(redirect_uri=None, client_id="spa", scope="openid", prompt="none"))
    assert answered(reply, "https://spa.example.net/cb")["error"] == "consent_required"


def test_the_port_of_a_loopback_address_is_free(browser: Browser) -> None:
    uri = "http://127.0.0.1:51004/cb"

    assert answered(browser.open(request(client_id="native", redirect_uri=uri, prompt="none")), uri)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "S256 "}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": "x" * 42}, "invalid_request"),
        ({"code_challenge": "x" * 129}, "invalid_request"),
        ({"code_challenge": "ä" * 43}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"scope": "openid orders.write"}, "invalid_scope"),  # there is such a one, but not for this client
        ({"scope": '"'}, "invalid_scope"),
        ({"resource": "https://evil.example"}, "invalid_target"),
        ({"resource": "https://api.example.com/#x"}, "invalid_target"),
        ({"resource": "api"}, "invalid_target"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1e3"}, "invalid_request"),
        ({"nonce": "x" * 5000}, "invalid_request"),
    ],
)
def test_what_else_is_wrong_is_told_to_the_client(browser: Browser, changes: dict[str, str | None], error: str) -> None:
    answer = answered(browser.open(request(**changes)))

    assert (answer["error"], answer["state"], answer["iss"]) == (error, "s-1", ISSUER)
    assert re.fullmatch(r"[ !\x23-\x5b\x5d-\x7e]*", answer["error_description"])
    assert "code" not in answer


@pytest.mark.parametrize(
    "name", ["response_type", "scope", "nonce", "code_challenge", "prompt", "max_age", "login_hint"]
)
def test_a_parameter_is_there_once(browser: Browser, name: str) -> None:
    answer = answered(browser.open(request(prompt="login", max_age="1", login_hint="x") + f"&{name}=other"))

    assert (answer["error"], answer["state"]) == ("invalid_request", "s-1")


def test_of_two_states_none_is_echoed(browser: Browser) -> None:
    answer = answered(browser.open(request() + "&state=s-2"))

    assert answer["error"] == "invalid_request"
    assert "state" not in answer


@pytest.mark.parametrize("state", [None, "x", "a b&c=d#e", "\r\nSet-Cookie: a=b", "ü\u202e", "%0d%0a", "x" * 2000])
def test_a_state_comes_back_as_it_was(browser: Browser, state: str | None) -> None:
    reply = browser.open(request(state=state))

    assert answered(reply).get("state") == state
    assert reply.headers.get("set-cookie") is None


def test_a_client_without_the_grant_is_told_so(browser: Browser) -> None:
    reply = browser.open(request(client_id="machine", redirect_uri="https://machine.example.net/cb", scope=None))

    assert answered(reply, "https://machine.example.net/cb")["error"] == "unauthorized_client"


def test_pkce_can_be_left_out_by_a_confidential_client_that_may(browser: Browser) -> None:
    without = {"code_challenge": None, "code_challenge_method": None, "scope": "openid"}
    loose = browser.open(request(client_id="loose", redirect_uri="https://loose.example.net/cb", **without))
    public = browser.open(request(client_id="spa", redirect_uri="https://spa.example.net/cb", **without))

    assert "wants to use your account" in loose.text
    assert answered(public, "https://spa.example.net/cb")["error"] == "invalid_request"


def test_without_a_scope_it_is_what_is_registered(stage: Stage, browser: Browser) -> None:
    browser.open(request(scope=None, prompt="consent"))
    code = answered(browser.submit(decision="allow"))["code"]

    record = json.loads(stage.edge.kv("CODES").get("c:" + digests.digest(code)) or "")
    assert record["scope"] == ["openid", "email", "orders.read"]


def test_several_resources_can_be_asked_for(stage: Stage, browser: Browser) -> None:
    page = browser.open(request(resource="https://api.example.com") + "&resource=https%3A%2F%2Fother.example.com")
    assert "https://api.example.com" in page.text
    code = answered(browser.submit(decision="allow"))["code"]

    record = json.loads(stage.edge.kv("CODES").get("c:" + digests.digest(code)) or "")
    assert record["resource"] == ["https://api.example.com", "https://other.example.com"]


@pytest.mark.parametrize("more", ["&admin=true", "&x=1&x=2", "&user_id=u_1&auth_time=1&sub=eve", "&=1", "&a[b]=c"])
def test_unknown_parameters_change_nothing(stage: Stage, browser: Browser, more: str) -> None:
    code = answered(browser.open(request() + more))["code"]

    record = json.loads(stage.edge.kv("CODES").get("c:" + digests.digest(code)) or "")
    assert record["user_id"] == stage.ann.id


def test_a_posted_request_is_one_too(browser: Browser) -> None:
    query = request().partition("?")[2]

    assert "code" in answered(browser.post("/authorize", query))
    # Without a cookie, as a browser sends another site's form; the GET that follows brings the cookie.
    assert browser.edge.request(
        "POST", ISSUER + "/authorize", headers={"Content-Type": "application/x-www-form-urlencoded"}, body=query
    ).headers.get("location") == "/authorize?" + query.replace("+", "%20")
    assert browser.post("/authorize?client_id=victoriasclient", query, follow=False).status == 400


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, "{}", 415),
        ({"Content-Type": "a, application/x-www-form-urlencoded"}, "a=b", 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, "--x--", 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "x=" + "y" * 20_000, 413),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "&".join(f"a{n}=b" for n in range(1001)), 400),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"client_id=\xff", 400),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "client_id=%ff", 400),
        ({"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"}, "", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    stage: Stage, headers: dict[str, str], body: str | bytes, status: int
) -> None:
    for path in ("/authorize", "/login", "/logout"):
        reply = stage.edge.post(ISSUER + path, headers=headers, body=body)
        assert reply.status == (status if body else reply.status), path
        assert reply.status < 500


@pytest.mark.parametrize(("path", "allowed"), [("/authorize", "GET, POST, HEAD"), ("/code", "POST"), ("/login", "GET")])
def test_other_methods_are_refused(stage: Stage, path: str, allowed: str) -> None:
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"):
        reply = stage.edge.request(method, ISSUER + path)
        assert reply.status == 405
        assert (reply.headers.get("allow") or "").startswith(allowed)
        assert reply.headers.get("access-control-allow-origin") is None


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-Host": "evil.example"}, {"Forwarded": "host=evil.example"}, {"X-Forwarded-Proto": "http"}]
)
def test_the_issuer_is_what_is_configured(browser: Browser, headers: dict[str, str]) -> None:
    assert answered(browser.open(request(), headers=headers))["iss"] == ISSUER
    assert "evil" not in browser.open(request(prompt="login"), headers=headers).text


def test_another_host_that_leads_here_changes_nothing() -> None:
    with set_up(variables()) as stage:
        reply = stage.edge.get("http://localhost" + request(), headers={})

        assert (reply.headers.get("location") or "").startswith("/login?")
        assert answered(stage.edge.get("http://localhost" + request(prompt="none")))["iss"] == ISSUER


def test_an_issuer_with_a_path_has_its_pages_below_it() -> None:
    with set_up(variables(ISSUER=ISSUER + "/eu/one")) as stage:
        browser = stage.browser()
        page = browser.open("/eu/one" + request())
        assert page.status == 200
        assert 'action="/eu/one/login?' in page.text
        assert 'href="/eu/one/style.css?' in page.text
        assert browser.open(request()).status == 404
        assert stage.edge.get(ISSUER + "/eu/one/style.css").status == 200
        assert stage.edge.get(ISSUER + "/eu/oneauthorize").status == 404


@pytest.mark.parametrize("uri", ["https://shop.example.net/callback"])
def test_the_answer_can_come_by_a_form_that_needs_no_script(browser: Browser, uri: str) -> None:
    page = browser.open(request(response_mode="form_post"))
    action, fields = browser.form()

    assert page.status == 200
    assert "<script" not in page.text
    assert (action, set(fields)) == (uri, {"code", "state", "iss"})
    assert f"form-action 'self' {uri[:24]}" in (page.headers.get("content-security-policy") or "")
    browser.open(request(response_mode="form_post", scope="nothing"))
    assert browser.form()[1]["error"] == "invalid_scope"


def test_a_form_cannot_go_to_a_private_scheme(browser: Browser) -> None:
    asked = request(client_id="app", redirect_uri="com.example.app:/cb", scope="openid", response_mode="form_post")
    reply = browser.open(asked)

    assert answered(reply, "com.example.app:/cb")["error"] == "invalid_request"


NAMES = st.sampled_from(
    [
        *("client_id", "redirect_uri", "scope", "state", "prompt", "max_age", "response_type", "response_mode"),
        *("code_challenge", "code_challenge_method", "resource", "id_token_hint", "login_hint", "request", "x"),
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        NAMES, st.text(max_size=30) | st.sampled_from(["none", "login", "S256", "openid", "0"]), max_size=4
    ),
    st.text(alphabet="%&=+;ab0cf\xff?#/", max_size=12),
    st.sampled_from(["/authorize", "/login", "/code", "/logout"]),
)
def test_no_query_is_answered_with_a_fault_of_ours_or_leads_elsewhere(
    browser: Browser, changes: dict[str, str], more: str, path: str
) -> None:
    asked = request(**changes).replace("/authorize", path, 1) + "&" + more.replace("#", "%23")

    for reply in (browser.open(asked, follow=False), browser.post(asked, "decision=allow&csrf=x", follow=False)):
        assert reply.status < 500
        location = reply.headers.get("location") or "/login"
        assert location.startswith((CALLBACK + "?", "/authorize?", "/login", "/logout")), location
