"""Over sockets, with Authlib, while the server runs: what an operator takes away from clients and users, and when."""

import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from tests.patience import PATIENCE_SECONDS
from tests.scripts.oauth.auth_stage import CALLBACK, ISSUER
from tests.scripts.oauth.live_site import API, LiveSite, live_site

ANN = "ann@example.com"
MOMENTS = ("code", "refresh")
ACTIONS = ("end-sessions", "disable", "set-password")
LEFT_OPEN: dict[str, tuple[dict[str, object], str]] = {
    "without-its-redirect-uri": ({"redirect_uris": [CALLBACK + "/two"]}, "This app cannot sign you in"),
    "disabled": ({"disabled": True}, "This app cannot sign you in"),
    "without-its-scope": ({"scope": "openid"}, "error=invalid_scope"),
}
CLIENTS = (
    *("scopes", "scopes-of-codes", "guest", "neighbour", "tabs", "leaving", "again"),
    *(f"{kind}-{moment}" for kind in ("resources", "redirects") for moment in MOMENTS),
    *(f"of-{action}" for action in ACTIONS),
    *LEFT_OPEN,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    with live_site(tmp_path_factory.mktemp("live")) as made:
        made.add_users(ANN, *(f"{action}@example.com" for action in ACTIONS))
        made.register(*CLIENTS)
        yield made


def test_a_scope_that_is_taken_away_is_gone_from_the_next_refresh_and_comes_back(site: LiveSite) -> None:
    with site.client("scopes") as session:
        token = site.exchange(session, site.code(session, ANN))
        assert token["scope"] == "openid email orders.read"
        assert site.admits(session)

        site.register("scopes", scope="openid email")

        assert not site.admits(session)  # the token that had it
        assert session.refresh_token(f"{ISSUER}/token")["scope"] == "openid email"
        assert site.admits(session)
        site.register("scopes")
        assert session.refresh_token(f"{ISSUER}/token")["scope"] == "openid email orders.read"


def test_a_scope_that_is_taken_away_is_gone_from_a_code_in_flight(site: LiveSite) -> None:
    with site.client("scopes-of-codes") as session:
        location = site.code(session, ANN)
        site.register("scopes-of-codes", scope="openid")

        assert site.exchange(session, location)["scope"] == "openid"


def _next_token(site: LiveSite, session: OAuth2Session, location: str, moment: str) -> dict[str, str]:
    """By the refresh token, or by the code that is still in flight."""
    if moment == "code":
        return site.exchange(session, location)
    token: dict[str, str] = session.refresh_token(f"{ISSUER}/token")
    return token


def test_a_client_that_is_deleted_and_registered_again_begins_anew(site: LiveSite) -> None:
    with site.client("again") as session:
        site.exchange(session, site.code(session, ANN))
        assert site.admits(session)
        site.oauth("clients", "delete", "again", "--yes")
        site.register("again")

        assert not site.admits(session)
        with pytest.raises(OAuthError, match="invalid_grant"):
            session.refresh_token(f"{ISSUER}/token")
        site.exchange(session, site.code(session, ANN))
        assert site.admits(session)
        assert session.refresh_token(f"{ISSUER}/token")["scope"] == "openid email orders.read"


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_resource_that_is_taken_away_gets_no_token(site: LiveSite, moment: str) -> None:
    client_id = f"resources-{moment}"
    with site.client(client_id) as session:
        location = site.code(session, ANN, resource=API)
        if moment == "refresh":
            site.exchange(session, location)
        site.register(client_id, resources=["https://other.example.com"])

        with pytest.raises(OAuthError, match="invalid_target"):
            _next_token(site, session, location, moment)
        site.register(client_id)
        assert _next_token(site, session, location, moment)["access_token"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_redirect_uri_that_is_taken_away_ends_what_went_there(site: LiveSite, moment: str) -> None:
    client_id = f"redirects-{moment}"
    with site.client(client_id) as session:
        location = site.code(session, ANN)
        if moment == "refresh":
            site.exchange(session, location)
        site.register(client_id, redirect_uris=[CALLBACK + "/two"])

        with pytest.raises(OAuthError, match="invalid_grant"):
            _next_token(site, session, location, moment)


def test_a_disabled_client_is_out_of_the_gateway_at_once(site: LiveSite) -> None:
    with site.client("guest") as session, site.client("neighbour") as other:
        site.exchange(session, site.code(session, ANN))
        site.exchange(other, site.code(other, ANN))
        assert (site.admits(session), site.admits(other)) == (True, True)

        said = site.oauth("clients", "disable", "guest")

        assert "1 split token withdrawn from the gateway; a whole JWT" in said
        assert (site.admits(session), site.admits(other)) == (False, True)
        with pytest.raises(OAuthError, match="invalid_client"):
            session.refresh_token(f"{ISSUER}/token")

        site.oauth("clients", "enable", "guest")
        session.refresh_token(f"{ISSUER}/token")
        assert site.admits(session)
        assert "1 split token withdrawn" in site.oauth("clients", "end-tokens", "guest")
        assert not site.admits(session)
        session.refresh_token(f"{ISSUER}/token")
        assert site.admits(session)


@pytest.mark.parametrize("action", ACTIONS)
def test_what_ends_a_users_sessions_ends_codes_refresh_tokens_and_the_gateways(site: LiveSite, action: str) -> None:
    email, client_id = f"{action}@example.com", f"of-{action}"
    with site.client(client_id) as session, site.client(client_id) as later:
        browser = site.browser()
        site.exchange(session, site.code(session, email, browser=browser))
        in_flight = site.code(later, email, browser=browser)
        assert site.admits(session)

        if action == "set-password":
            site.set_password(email, "quite another one")
        else:
            site.oauth("users", action, email)
        if action == "disable":
            site.oauth("users", "enable", email)

        assert not site.admits(session)
        for ask in (lambda: session.refresh_token(f"{ISSUER}/token"), lambda: site.exchange(later, in_flight)):
            with pytest.raises(OAuthError, match="invalid_grant"):
                ask()
        url, _ = later.create_authorization_url(f"{ISSUER}/authorize", prompt="none", code_verifier="v" * 43)
        assert "error=login_required" in (browser.open(url).headers.get("location") or "")


def test_two_tabs_at_the_login_both_get_their_codes(site: LiveSite) -> None:
    with site.client("tabs") as session:
        one = site.browser()
        other = type(one)(one.edge, one.address, one.cookies)
        for tab, state in ((one, "one"), (other, "other")):
            asked = session.create_authorization_url(f"{ISSUER}/authorize", state=state, code_verifier="v" * 43)
            tab.open(asked[0])

        other.login(ANN)
        told = other.submit(decision="allow").headers.get("location") or ""
        later = one.login(ANN).headers.get("location") or ""  # the consent is remembered

    assert "code=" in told
    assert "state=other" in told
    assert "code=" in later
    assert "state=one" in later


@pytest.mark.parametrize("client_id", LEFT_OPEN)
def test_a_consent_that_was_left_open_gives_what_the_client_may_have_at_the_click(
    site: LiveSite, client_id: str
) -> None:
    change, seen = LEFT_OPEN[client_id]
    with site.client(client_id) as session:
        browser = site.browser()
        browser.open(session.create_authorization_url(f"{ISSUER}/authorize", code_verifier="v" * 43)[0])
        assert "wants to use your account" in browser.login(ANN).text
        site.register(client_id, **change)

        reply = browser.submit(decision="allow")

    assert seen in (reply.headers.get("location") or reply.text)
    assert "code=" not in (reply.headers.get("location") or "")


def test_a_logout_with_a_hint_of_a_former_key_asks_once(site: LiveSite) -> None:
    with site.client("leaving") as session:
        browser = site.browser()
        hint = site.exchange(session, site.code(session, ANN, browser=browser))["id_token"]

    published = site.published_keys()
    site.oauth("keys", "rotate", "--now")
    end = time.monotonic() + PATIENCE_SECONDS
    while not site.published_keys().isdisjoint(published):  # until the edge has seen the file
        assert time.monotonic() < end
        time.sleep(0.05)

    to = quote("https://shop.example.net/bye", safe="")
    reply = browser.open(f"/logout?id_token_hint={hint}&post_logout_redirect_uri={to}&state=x")
    assert "<h1>Sign out?</h1>" in reply.text
    assert browser.submit(action="logout").headers.get("location") == "https://shop.example.net/bye?state=x"
