"""What must not work, tried at the server, the gateway and the API."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from edgeworker.cli.demo.narrator import Narrator
from edgeworker.cli.demo.oauth.browser import Browser, Page
from edgeworker.cli.demo.oauth.client import Attempt, ClientRefuses, OAuthClient, Tokens
from edgeworker.cli.demo.oauth.stage import SCOPE, Stage

NOT_REFUSED = "nothing was refused"


def reason(work: Callable[[], object]) -> str:
    """Why the client did not get it."""
    try:
        work()
    except ClientRefuses as error:
        return str(error)
    return NOT_REFUSED


def tell(narrator: Narrator, stage: Stage, client: OAuthClient, browser: Browser) -> None:
    narrator.step("What else is refused")
    _requests(narrator, stage, client, browser)
    tokens = _codes(narrator, stage, client, browser)
    _at_the_gateway(narrator, stage, client, tokens)


def _requests(narrator: Narrator, stage: Stage, client: OAuthClient, browser: Browser) -> None:
    good = client.begin(SCOPE)
    evil = good.url.replace("callback", "callback.evil.example")
    page = browser.open(evil)
    narrator.check(
        "a redirect URI that is not registered: a page, and no redirect at all",
        page.status == 400 and not browser.went,
        got=f"{page.status}",
    )
    page = browser.open(good.url.replace("client_id=notes", "client_id=unknown"))
    narrator.check("an unknown client: the same", page.status == 400 and not browser.went, got=f"{page.status}")
    without = client.begin(SCOPE, pkce=False)
    error = _error(browser.open(without.url), stage)
    narrator.check("a request without PKCE: invalid_request", error == "invalid_request", got=error)
    denied = client.begin(f"{SCOPE}", prompt="consent")
    error = _error(_decide(browser, browser.open(denied.url), "deny"), stage)
    narrator.check("Ann does not agree: access_denied", error == "access_denied", got=error)


def _codes(narrator: Narrator, stage: Stage, client: OAuthClient, browser: Browser) -> Tokens:
    attempt, code = _code(client, browser)
    got = reason(lambda: client.exchange(attempt, code, verifier="x" * 64))
    narrator.check("a code with another PKCE verifier: invalid_grant", got == "invalid_grant", got=got)
    stranger = stage.client("not-the-secret-of-this-client")
    stranger.metadata, stranger.jwks = client.metadata, client.jwks
    got = reason(lambda: stranger.exchange(attempt, code))
    status = stranger.last.status if stranger.last is not None else 0
    narrator.check("a wrong client secret: 401 invalid_client", (status, got) == (401, "invalid_client"), got=got)
    attempt, code = _code(client, browser)
    tokens = client.exchange(attempt, code)
    got = reason(lambda: client.exchange(attempt, code))
    narrator.check("a code that is used a second time: invalid_grant", got == "invalid_grant", got=got)
    answer = client.call(f"{stage.api}/claims", tokens.access_token)
    narrator.check(
        "and the tokens of its first use are worth nothing any more: 401", answer.status == 401, got=str(answer.status)
    )
    attempt, code = _code(client, browser)
    return client.exchange(attempt, code)


def _at_the_gateway(narrator: Narrator, stage: Stage, client: OAuthClient, tokens: Tokens) -> None:
    url = f"{stage.api}/claims"
    narrator.check("a good token, for comparison: 200", client.call(url, tokens.access_token).status == 200)
    cases = (
        ("a token that was never issued", tokens.access_token[:-4] + "AAAA"),
        ("the ID token", tokens.id_token or ""),
        ("the refresh token", tokens.refresh_token or ""),
    )
    for what, token in cases:
        answer = client.call(url, token)
        narrator.check(f"{what}, at the gateway: {answer.status}", answer.status == 401, got=str(answer.status))


def _code(client: OAuthClient, browser: Browser) -> tuple[Attempt, str]:
    """A code for Ann, who is logged in."""
    attempt = client.begin(SCOPE)
    page = browser.open(attempt.url)
    if not page.url.startswith(client.redirect_uri):
        page = _decide(browser, page, "allow")
    return attempt, client.code_of(attempt, page.url)


def _decide(browser: Browser, page: Page, decision: str) -> Page:
    from edgeworker.cli.demo.oauth.show import decide

    return decide(browser, page, decision)


def _error(page: Page, stage: Stage) -> str:
    """The error with which the browser came back to the application."""
    if not page.url.startswith(f"{stage.application.redirect_uri}?"):
        return f"{page.status} {page.title}"
    return parse_qs(urlsplit(page.url).query).get("error", ["none"])[0]
