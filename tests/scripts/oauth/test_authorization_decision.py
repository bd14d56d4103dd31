"""What must happen before a code: a table of sessions, prompts, ages, hints and consents."""

from dataclasses import replace

import pytest

from issuer.authorization_decision import (
    FRESH_SECONDS,
    AskForAccount,
    AskForConsent,
    AskForLogin,
    Decision,
    GrantCode,
    after_use,
    decide,
    is_remembered,
    with_chosen_account,
)
from issuer.authorization_request import AuthorizationError, AuthorizationRequest, ResponseTarget
from issuer.clients import RegisteredClient
from issuer.sessions import Consent, LoginSession

NOW = 10_000
CLIENT = RegisteredClient("shop", redirect_uris=("https://shop.example.net/cb",))
SCOPE, RESOURCE = ("openid", "read"), ("https://api.example.com",)
SESSION = LoginSession("u_ann", created_at=9000, seen_at=9900, auth_time=9000)
GIVEN = Consent("u_ann", "shop", SCOPE, RESOURCE, 9000)
NOT_GIVEN = Consent("u_ann", "shop")


def request(*prompt: str, max_age: int | None = None, client: RegisteredClient = CLIENT) -> AuthorizationRequest:
    return AuthorizationRequest(
        target=ResponseTarget(client, client.redirect_uris[0], True, "query", None),
        query="client_id=shop&scope=openid%20read",
        scope=SCOPE,
        resource=RESOURCE,
        nonce=None,
        code_challenge=None,
        prompt=frozenset(prompt),
        max_age=max_age,
        login_hint=None,
        id_token_hint=None,
    )


JUST_NOW = LoginSession("u_ann", NOW - 5, NOW - 5, NOW - 5, login_for=request().digest)


@pytest.mark.parametrize(
    ("asked", "session", "consent", "hinted", "expected"),
    [
        (request(), None, NOT_GIVEN, None, AskForLogin()),
        (request(), SESSION, NOT_GIVEN, None, AskForConsent()),
        (request(), SESSION, GIVEN, None, GrantCode()),
        (request(), SESSION, replace(GIVEN, scope=("openid",)), None, AskForConsent()),
        (request(), SESSION, replace(GIVEN, resource=()), None, AskForConsent()),
        (request(), SESSION, replace(GIVEN, scope=(*SCOPE, "write")), None, GrantCode()),
        (request(client=replace(CLIENT, consent="skip")), SESSION, NOT_GIVEN, None, GrantCode()),
        # OpenID Connect Core section 3.1.2.1
        (request("login"), SESSION, GIVEN, None, AskForLogin()),
        (request("login"), JUST_NOW, GIVEN, None, GrantCode()),
        (request("consent"), SESSION, GIVEN, None, AskForConsent()),
        (request("consent", client=replace(CLIENT, consent="skip")), SESSION, GIVEN, None, AskForConsent()),
        (request("select_account"), SESSION, GIVEN, None, AskForAccount()),
        (request("select_account"), with_chosen_account(SESSION, request()), GIVEN, None, GrantCode()),
        (request("login", "select_account"), SESSION, GIVEN, None, AskForLogin()),
        (request("none"), SESSION, GIVEN, None, GrantCode()),
        (request(max_age=1001), SESSION, GIVEN, None, GrantCode()),
        (request(max_age=1000), SESSION, GIVEN, None, AskForLogin()),
        (request(max_age=0), SESSION, GIVEN, None, AskForLogin()),
        (request(max_age=0), JUST_NOW, GIVEN, None, GrantCode()),
        # id_token_hint: the user that the client expects
        (request(), SESSION, GIVEN, "u_ann", GrantCode()),
        (request(), SESSION, GIVEN, "u_bob", AskForLogin()),
        (request(), SESSION, GIVEN, "", GrantCode()),
    ],
)
def test_what_happens_next(
    asked: AuthorizationRequest, session: LoginSession | None, consent: Consent, hinted: str | None, expected: Decision
) -> None:
    assert decide(asked, session, consent, hinted, now=NOW) == expected


@pytest.mark.parametrize(
    ("asked", "session", "consent", "hinted", "error"),
    [
        (request("none"), None, NOT_GIVEN, None, "login_required"),
        (request("none", max_age=10), SESSION, GIVEN, None, "login_required"),
        (request("none"), SESSION, NOT_GIVEN, None, "consent_required"),
        (request("none"), SESSION, GIVEN, "u_bob", "login_required"),
        (request("none"), SESSION, GIVEN, "", "login_required"),
        # A user who just logged in as someone else would do so again, for ever.
        (request(), JUST_NOW, GIVEN, "u_bob", "login_required"),
    ],
)
def test_what_cannot_happen_is_an_error_for_the_client(
    asked: AuthorizationRequest, session: LoginSession | None, consent: Consent, hinted: str | None, error: str
) -> None:
    with pytest.raises(AuthorizationError) as raised:
        decide(asked, session, consent, hinted, now=NOW)

    assert raised.value.error == error


def test_a_login_counts_for_its_request_only_and_not_for_long() -> None:
    fresh = replace(JUST_NOW, auth_time=NOW - FRESH_SECONDS + 1)

    assert decide(request("login"), fresh, GIVEN, None, now=NOW) == GrantCode()
    assert decide(request("login"), fresh, GIVEN, None, now=NOW + 1) == AskForLogin()
    other = replace(request("login"), query="client_id=other")
    assert decide(other, fresh, GIVEN, None, now=NOW) == AskForLogin()


def test_a_login_is_used_up_by_the_code_it_was_made_for() -> None:
    used = after_use(JUST_NOW, request("login"))

    assert decide(request("login"), used, GIVEN, None, now=NOW) == AskForLogin()
    assert after_use(JUST_NOW, replace(request(), query="another")) is JUST_NOW


PUBLIC = replace(CLIENT, token_endpoint_auth_method="none")


@pytest.mark.parametrize(
    ("client", "uri", "remembered"),
    [
        (CLIENT, "https://shop.example.net/cb", True),
        (CLIENT, "http://127.0.0.1/cb", True),
        (PUBLIC, "https://shop.example.net/cb", True),
        # RFC 8252 section 8.6: any app of the machine can take these
        (PUBLIC, "http://127.0.0.1/cb", False),
        (PUBLIC, "com.example.app:/cb", False),
    ],
)
def test_an_app_that_anyone_can_pretend_to_be_asks_each_time(
    client: RegisteredClient, uri: str, remembered: bool
) -> None:
    asked = request(client=replace(client, redirect_uris=(uri,)))

    assert is_remembered(asked) is remembered
    expected = GrantCode() if remembered else AskForConsent()
    assert decide(asked, SESSION, GIVEN, None, now=NOW) == expected
