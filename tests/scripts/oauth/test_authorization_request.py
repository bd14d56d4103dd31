"""The authorization request as a value: what it must say, and who is told what is wrong with it."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from issuer import form_parameters
from issuer.authorization_request import (
    MAX_VALUE_LENGTH,
    AuthorizationRequest,
    InvalidRequest,
    ResponseTarget,
    UntrustedRedirectError,
    client_id,
    find_target,
    parse,
)
from issuer.clients import RegisteredClient
from issuer.form_parameters import Parameters
from issuer.settings import IssuerSettings
from tests.scripts.oauth.auth_stage import CHALLENGE
from tests.scripts.oauth.in_memory import parameters

CALLBACK, API = "https://shop.example.net/cb", "https://api.example.com"
SETTINGS = IssuerSettings(
    issuer="https://auth.example.com",
    resources=(API, "https://other.example.com"),
    scopes={"openid": "", "read": "", "write": ""},
)
CLIENT = RegisteredClient("shop", redirect_uris=(CALLBACK,), scope=("openid", "read"), resources=(API,))
TARGET = ResponseTarget(CLIENT, CALLBACK, True, "query", "s-1")
GOOD = {
    "response_type": "code",
    "client_id": "shop",
    "scope": "openid read",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def read(client: RegisteredClient = CLIENT, **changes: str) -> AuthorizationRequest | InvalidRequest:
    return parse(parameters(**GOOD, **changes), replace(TARGET, client=client), SETTINGS)


def changed(**changes: str) -> AuthorizationRequest | InvalidRequest:
    return parse(parameters(**{**GOOD, **changes}), TARGET, SETTINGS)


def test_a_good_request_is_read() -> None:
    request = read(nonce="n", max_age="60", prompt="login consent", resource=API, login_hint="ann")

    assert isinstance(request, AuthorizationRequest)
    assert (request.scope, request.resource) == (("openid", "read"), (API,))
    assert (request.nonce, request.max_age, request.login_hint) == ("n", 60, "ann")
    assert request.prompt == {"login", "consent"}
    assert request.code_challenge == CHALLENGE


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),  # its method without it
        ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),  # RFC 7636 section 4.3: missing means plain
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "a" * 42}, "invalid_request"),
        ({"code_challenge": "a" * 129}, "invalid_request"),
        ({"code_challenge": "a" * 42 + "="}, "invalid_request"),
        ({"scope": "write"}, "invalid_scope"),  # not registered for the client
        ({"scope": "unknown"}, "invalid_scope"),
        ({"resource": "https://other.example.com"}, "invalid_target"),
        ({"resource": API + "#x"}, "invalid_target"),  # RFC 8707 section 2
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "\u0661"}, "invalid_request"),
        ({"max_age": "9" * 11}, "invalid_request"),
        ({"state": "s" * (MAX_VALUE_LENGTH + 1)}, "invalid_request"),
        ({"nonce": "n" * (MAX_VALUE_LENGTH + 1)}, "invalid_request"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"request_uri": "https://shop.example.net/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
    ids=repr,
)
def test_what_is_wrong_is_an_error_for_the_client(changes: dict[str, str], error: str) -> None:
    request = changed(**changes)

    assert isinstance(request, InvalidRequest)
    assert request.error.error == error
    # RFC 6749 section 4.1.2.1, and it quotes nothing of the request
    assert request.error.description.isascii()
    assert '"' not in request.error.description


def test_a_parameter_is_there_once_but_for_resource() -> None:
    both = {**{name: (value,) for name, value in GOOD.items()}, "nonce": ("a", "b"), "resource": (API, API)}

    request = parse(Parameters(both), TARGET, SETTINGS)

    assert isinstance(request, InvalidRequest)
    assert str(request.error) == "invalid_request: nonce was sent more than once"
    assert isinstance(parse(Parameters({**both, "nonce": ("a",)}), TARGET, SETTINGS), AuthorizationRequest)


def test_a_request_is_silent_if_one_of_its_prompts_is_none() -> None:
    assert isinstance(silent := changed(scope="write", prompt="login none"), InvalidRequest)
    assert silent.silent
    assert isinstance(loud := changed(scope="write", prompt="nonesuch"), InvalidRequest)
    assert not loud.silent


@pytest.mark.parametrize(
    ("client", "allowed"),
    [
        (CLIENT, False),
        (replace(CLIENT, require_pkce=False), True),
        # RFC 9700 section 2.1.1: a public client must use PKCE, whatever is registered
        (replace(CLIENT, require_pkce=False, token_endpoint_auth_method="none"), False),
    ],
)
def test_pkce_may_be_left_out_by_old_confidential_clients(client: RegisteredClient, allowed: bool) -> None:
    asked = parameters(response_type="code", client_id="shop")

    request = parse(asked, replace(TARGET, client=client), SETTINGS)

    assert isinstance(request, AuthorizationRequest) is allowed


def test_a_client_without_the_grant_type_gets_no_code() -> None:
    request = read(replace(CLIENT, grant_types=("client_credentials",)))

    assert isinstance(request, InvalidRequest)
    assert request.error.error == "unauthorized_client"


@pytest.mark.parametrize(
    ("scope", "expected"),
    [("", ("openid", "read")), ("read", ("read",)), ("read offline", ("read",)), (" read  read ", ("read",))],
)
def test_the_scope_is_what_is_known_of_it_and_all_by_default(scope: str, expected: tuple[str, ...]) -> None:
    request = changed(scope=scope)

    assert isinstance(request, AuthorizationRequest)
    assert request.scope == expected


def test_two_spellings_of_one_request_have_one_digest() -> None:
    text = urlencode(GOOD | {"nonce": "a b"})
    turned = "&".join(reversed(text.replace("+", "%20").split("&")))
    one, other = (parse(form_parameters.parse(spelling), TARGET, SETTINGS) for spelling in (text, turned))

    assert isinstance(one, AuthorizationRequest)
    assert one.digest == other.digest
    assert read(nonce="a b", unknown="1").digest == one.digest
    assert read(nonce="c").digest != one.digest


@pytest.mark.parametrize("values", [(), ("",), ("shop", "shop"), ("shop", "")])
def test_a_request_names_one_client(values: tuple[str, ...]) -> None:
    with pytest.raises(UntrustedRedirectError):
        client_id(Parameters({"client_id": values}))


@pytest.mark.parametrize(
    ("client", "uris"),
    [
        (None, (CALLBACK,)),
        (replace(CLIENT, disabled=True), (CALLBACK,)),
        (CLIENT, (CALLBACK, CALLBACK)),
        (CLIENT, ("https://evil.example/cb",)),
        (CLIENT, (CALLBACK + "/",)),
        (replace(CLIENT, redirect_uris=(CALLBACK, CALLBACK + "/2")), ()),
        (replace(CLIENT, redirect_uris=()), ()),
        (replace(CLIENT, redirect_uris=("javascript:alert(1)",)), ()),  # of an unchecked record
        (replace(CLIENT, redirect_uris=("javascript:alert(1)",)), ("javascript:alert(1)",)),
    ],
)
def test_nothing_is_sent_to_an_address_that_is_not_the_clients(
    client: RegisteredClient | None, uris: tuple[str, ...]
) -> None:
    with pytest.raises(UntrustedRedirectError):
        find_target(Parameters({"redirect_uri": uris}), client)


def test_the_only_registered_address_can_be_left_out_and_that_is_noted() -> None:
    """RFC 6749 section 4.1.3: the token request must repeat it only if it was sent."""
    assert find_target(Parameters(), CLIENT).redirect_uri_sent is False
    assert find_target(parameters(redirect_uri=CALLBACK), CLIENT).redirect_uri_sent is True


def test_of_two_states_neither_is_echoed() -> None:
    assert find_target(Parameters({"state": ("a", "b")}), CLIENT).state is None
    assert find_target(parameters(state="a"), CLIENT).state == "a"


@pytest.mark.parametrize(
    ("uri", "modes", "expected"),
    [
        (CALLBACK, ("form_post",), "form_post"),
        (CALLBACK, ("query",), "query"),
        (CALLBACK, ("form_post", "query"), "query"),
        ("com.example.app:/cb", ("form_post",), "query"),
    ],
)
def test_an_error_goes_by_the_mode_that_is_possible(uri: str, modes: tuple[str, ...], expected: str) -> None:
    client = replace(CLIENT, redirect_uris=(uri,))

    target = find_target(Parameters({"response_mode": modes}), client)

    assert target.response_mode == expected
    if modes == ("form_post",) and expected == "query":
        asked = parameters(**GOOD, response_mode="form_post")
        assert isinstance(request := parse(asked, target, SETTINGS), InvalidRequest)
        assert request.error.error == "invalid_request"


def test_a_page_of_the_client_may_post_to_its_registered_hosts() -> None:
    client = replace(CLIENT, post_logout_redirect_uris=("https://bye.example.net/x",))

    assert replace(TARGET, client=client).form_sources == "https://shop.example.net https://bye.example.net"
