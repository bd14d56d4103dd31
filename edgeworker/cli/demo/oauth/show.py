"""The OAuth demo's steps, one function each. Every one says what it does, does it over HTTP, and checks the outcome."""

import asyncio
import logging
import stat
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from edgeworker.cli.demo.narrator import Narrator
from edgeworker.cli.demo.oauth import refused
from edgeworker.cli.demo.oauth.browser import Browser, Page
from edgeworker.cli.demo.oauth.client import Attempt, ClientRefuses, OAuthClient, Tokens, document, on_loopback
from edgeworker.cli.demo.oauth.keeping import keep_running
from edgeworker.cli.demo.oauth.stage import CLIENT_ID, EMAIL, PASSWORD, SCOPE, Stage, set_up
from edgeworker.cli.demo.serving import until_told
from edgeworker.cli.output import Output
from edgeworker.errors import OriginError

PICTURE = (
    "browser ──login, consent──▶ auth worker ──code──▶ client",
    "client  ──code──▶ token worker ──{S}──▶ client",
    "                       └──{H}.{P}──▶ KV",
    "client  ──{S}──▶ gateway ──{H}.{P}.{S}──▶ API ◀──public keys── token worker",
)


class LogCollector(logging.Handler):
    """What the workers log, which is a part of the story and would stand between its lines otherwise."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())

    def take(self) -> list[str]:
        lines, self._lines = self._lines, []
        return lines


@dataclass(slots=True)
class OAuthScene:
    """What the steps pass on."""

    narrator: Narrator
    heard: LogCollector
    stage: Stage
    client: OAuthClient
    browser: Browser
    wait: Callable[[Coroutine[object, object, object]], object]

    def entry(self, binding: str, key: str) -> str | None:
        """What KV has under that key, by the name that the token worker gives the namespace."""
        value = self.wait(self.stage.namespace(binding).get(key))
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else None


async def perform(out: Output, *, keep: bool) -> bool:
    """The whole show; whether every check held. With `keep` it goes on serving until it is interrupted."""
    narrator = Narrator(out)
    narrator.title(
        "OAuth 2.0 and OpenID Connect with split tokens, from end to end on this machine",
        "A person logs in and agrees, an application gets tokens, an API believes them; and then what must not work.",
        PICTURE,
    )
    loop = asyncio.get_running_loop()
    async with set_up() as stage:

        def wait(work: Coroutine[object, object, object]) -> object:
            return asyncio.run_coroutine_threadsafe(work, loop).result()

        heard = LogCollector()
        scene = OAuthScene(narrator, heard, stage, stage.client(), stage.browser(), wait)
        with on_loopback(), _listening(heard):
            try:
                await until_told(asyncio.to_thread(_tell, scene), stage.stop)
            except (OriginError, LookupError, ClientRefuses) as error:
                narrator.check("every step could be taken", False, got=f"{type(error).__name__}: {error}")
            held = narrator.end()
            if keep and held:
                await keep_running(out, stage)
    return held


@contextmanager
def _listening(heard: LogCollector) -> Iterator[None]:
    root = logging.getLogger()
    root.addHandler(heard)
    try:
        yield
    finally:
        root.removeHandler(heard)


def _tell(scene: OAuthScene) -> None:
    _prepare(scene)
    _discover(scene)
    attempt, code = _authorize(scene)
    tokens = _exchange(scene, attempt, code)
    _identify(scene, tokens)
    _call(scene, tokens)
    fresh = _refresh(scene, tokens)
    _revoke(scene, fresh)
    _reuse(scene, tokens, fresh)
    refused.tell(narrator=scene.narrator, stage=scene.stage, client=scene.client, browser=scene.browser)
    _show_log(scene)


def _prepare(scene: OAuthScene) -> None:
    narrator, registered = scene.narrator, scene.stage.registered
    narrator.step("A project, its signing keys, a user and a client")
    narrator.sent("edgeworker init my-login --template oauth")
    narrator.sent("edgeworker oauth keys init")
    mode = stat.S_IMODE(registered.secret_file.stat().st_mode)
    narrator.check("SIGNING_KEYS is in token/.dev.vars, readable by its owner only", mode == 0o600, got=f"{mode:o}")
    narrator.sent(f"edgeworker oauth users add {EMAIL} --name Ann --verified")
    narrator.sent(f"edgeworker oauth clients add {CLIENT_ID} --redirect-uri {scene.stage.application.redirect_uri}")
    kept = _everything(scene, "USERS")
    narrator.check(
        "KV has password and client secret as hashes only",
        ("$argon2id$" in kept or "$scrypt$" in kept) and PASSWORD not in kept and registered.secret not in kept,
    )
    narrator.sent("edgeworker dev")
    names = ", ".join(worker.name.removeprefix("my-login-") for worker in scene.stage.config.workers)
    narrator.note(f"one edge at {scene.stage.edge_url} runs the workers {names}")


def _discover(scene: OAuthScene) -> None:
    narrator, client = scene.narrator, scene.client
    narrator.step("The client, which knows the issuer's URL, finds out all the rest")
    narrator.sent(f"GET {scene.stage.issuer}/.well-known/openid-configuration")
    client.discover()
    issuer = client.metadata.get("issuer")
    narrator.check(f"the metadata are of the issuer that was asked: {issuer}", issuer == scene.stage.issuer)
    methods = client.metadata.get("code_challenge_methods_supported")
    narrator.check("PKCE by S256 only", methods == ["S256"], got=str(methods))
    narrator.sent(f"GET {client.endpoint('jwks_uri')}")
    keys = client.jwks.get("keys")
    listed = [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
    private = [name for key in listed for name in ("d", "p", "q", "dp", "dq", "qi", "k") if name in key]
    kinds = ", ".join(str(key.get("alg")) for key in listed)
    narrator.check(f"public keys ({kinds}), and nothing private with them", bool(listed) and not private)


def _authorize(scene: OAuthScene) -> tuple[Attempt, str]:
    narrator, client, browser = scene.narrator, scene.client, scene.browser
    narrator.step("The client sends the browser to the auth worker, with a PKCE challenge; Ann logs in and agrees")
    attempt = client.begin(SCOPE)
    narrator.sent(f"GET {without_query(attempt.url)}")
    narrator.note(f"  with {', '.join(parse_qs(urlsplit(attempt.url).query))}")
    page = browser.open(attempt.url)
    narrator.check(
        f'a page asks who is there: "{page.title}"', page.status == 200 and bool(page.form_with("email", "password"))
    )
    policy = page.answer.headers.get("content-security-policy", "")
    narrator.check(
        "no script runs on it, and no other page may frame it",
        "default-src 'none'" in policy and "frame-ancestors 'none'" in policy,
        got=policy,
    )
    stranger = log_in(browser, page, PASSWORD, email="stranger@example.com")
    wrong = log_in(browser, stranger, "not the password")
    narrator.check(
        "a wrong password is refused, in the same words as a user who is not there",
        400 <= wrong.status < 500 and (wrong.status, wrong.text) == (stranger.status, stranger.text),
        got=f"{stranger.status} and {wrong.status}",
    )
    consent = log_in(browser, wrong, PASSWORD)
    narrator.check(
        "with the right one comes the consent page, which names the application",
        consent.status == 200 and "Notes" in consent.text,
        got=f"{consent.status} {consent.title}",
    )
    narrator.note(f"  it says: {_find_sentences(scene, consent)}")
    back = decide(browser, consent, "allow")
    narrator.check(
        "Ann agrees, and the browser is sent back to the application",
        back.url.startswith(f"{scene.stage.application.redirect_uri}?") and browser.went[-1][0] in (302, 303),
        got=f"{back.status} {without_query(back.url)}",
    )
    code = client.code_of(attempt, back.url)
    narrator.check("with a code, and with the state and the issuer that the client expects (RFC 9207)", bool(code))
    kept = _everything(scene, "CODES")
    narrator.check("KV has only the hash of the code", bool(kept) and code not in kept)
    return attempt, code


def _exchange(scene: OAuthScene, attempt: Attempt, code: str) -> Tokens:
    narrator, client = scene.narrator, scene.client
    narrator.step("The client exchanges the code, with its secret and the PKCE verifier")
    narrator.sent(f"POST {client.endpoint('token_endpoint')}")
    narrator.note("  Authorization: Basic …   grant_type=authorization_code, code, redirect_uri, code_verifier")
    tokens = client.exchange(attempt, code)
    answer = client.last
    narrator.check("the answer must not be kept by any cache", _field(answer, "cache-control") == "no-store")
    narrator.say(f"access_token   {narrator.token(tokens.access_token)}")
    narrator.check("it is the signature of a JWT and no more", "." not in tokens.access_token)
    key, value = _find_published(scene, tokens.access_token)
    narrator.check("header and payload were published to KV before the answer came", value is not None)
    narrator.note(f"  KV {key[:12]}… → {narrator.token(value or '')}")
    everything = "\n".join(_everything(scene, binding) for binding in ("CODES", "TOKENS", "SPLIT"))
    narrator.check(
        "KV has neither the access token nor the refresh token",
        tokens.access_token not in everything and str(tokens.refresh_token) not in everything,
    )
    return tokens


def _identify(scene: OAuthScene, tokens: Tokens) -> None:
    narrator, claims = scene.narrator, tokens.claims
    narrator.step("The ID token says who logged in")
    narrator.say(f"id_token       {narrator.token(tokens.id_token or '')}")
    narrator.note(f"  iss={claims.get('iss')} aud={claims.get('aud')} sub={claims.get('sub')}")
    narrator.check(
        "its signature is by a published key; iss, aud, exp and nonce are right",
        claims.get("iss") == scene.stage.issuer and claims.get("aud") == CLIENT_ID and "nonce" in claims,
    )
    narrator.check("its at_hash is of the token that the client received, not of the whole JWT", "at_hash" in claims)
    narrator.check("it is Ann's", claims.get("sub") == scene.stage.registered.user_id, got=str(claims.get("sub")))
    answer = scene.client.call(scene.client.endpoint("userinfo_endpoint"), tokens.access_token)
    members = document(answer)
    narrator.sent("GET /userinfo, with the split token")
    narrator.check(
        f"userinfo knows it and says: {members.get('name')}, {members.get('email')}",
        members.get("email") == EMAIL and members.get("sub") == claims.get("sub"),
        got=f"{answer.status}",
    )


def _call(scene: OAuthScene, tokens: Tokens) -> None:
    narrator, client, stage = scene.narrator, scene.client, scene.stage
    narrator.step("The client calls the API through the gateway, with the signature alone")
    narrator.sent(f"GET {stage.api}/claims")
    narrator.sent(f"Authorization: Bearer {narrator.token(tokens.access_token)}")
    answer = client.call(f"{stage.api}/claims", tokens.access_token)
    members = document(answer)
    narrator.check("the API got the whole JWT and verified it with the issuer's keys", answer.status == 200)
    narrator.note(f"  sub={members.get('sub')} scope={members.get('scope')!r}")
    narrator.check(
        "it knows the user, the client, the scope, and that the token is meant for it",
        members.get("sub") == stage.registered.user_id
        and members.get("client_id") == CLIENT_ID
        and "records.read" in str(members.get("scope")).split()
        and members.get("aud") == stage.api,
        got=str(dict(members)),
    )
    narrator.sent(f"GET {stage.api}/records")
    answer = client.call(f"{stage.api}/records", tokens.access_token)
    narrator.check("with records.read Ann's records may be read", answer.status == 200, got=str(answer.status))


def _refresh(scene: OAuthScene, tokens: Tokens) -> Tokens:
    narrator, client = scene.narrator, scene.client
    narrator.step("The client refreshes, and each refresh token is used once")
    narrator.sent(f"POST {client.endpoint('token_endpoint')}  grant_type=refresh_token")
    fresh = client.refresh(tokens.refresh_token or "")
    narrator.say(f"access_token   {narrator.token(fresh.access_token)}")
    narrator.check(
        "another access token, split as well, and another refresh token",
        fresh.access_token != tokens.access_token
        and "." not in fresh.access_token
        and fresh.refresh_token not in (None, tokens.refresh_token),
    )
    answer = client.call(f"{scene.stage.api}/claims", fresh.access_token)
    narrator.check("the API takes it", answer.status == 200, got=str(answer.status))
    narrator.sent(f"POST {client.endpoint('introspection_endpoint')}")
    members = client.introspect(fresh.access_token)
    narrator.check(
        "introspection of the split token: active",
        members.get("active") is True and members.get("client_id") == CLIENT_ID,
    )
    return fresh


def _revoke(scene: OAuthScene, tokens: Tokens) -> None:
    narrator, client = scene.narrator, scene.client
    narrator.step("The client revokes the access token")
    narrator.sent(f"POST {client.endpoint('revocation_endpoint')}")
    status = client.revoke(tokens.access_token)
    narrator.check("the token worker did it", status == 200, got=str(status))
    _, value = _find_published(scene, tokens.access_token)
    narrator.check("what was published of it is gone from KV", value is None)
    answer = client.call(f"{scene.stage.api}/claims", tokens.access_token)
    challenge = _field(answer, "www-authenticate")
    narrator.check("the very next call is refused at the gateway: 401", answer.status == 401, got=str(answer.status))
    narrator.note(f"  WWW-Authenticate: {challenge}")
    members = client.introspect(tokens.access_token)
    narrator.check("introspection says only: inactive", members == {"active": False}, got=str(dict(members)))


def _reuse(scene: OAuthScene, old: Tokens, fresh: Tokens) -> None:
    narrator, client = scene.narrator, scene.client
    narrator.step("A thief uses the old refresh token, which was replaced")
    first = refused.reason(lambda: client.refresh(old.refresh_token or ""))
    narrator.check("it is refused: invalid_grant", first == "invalid_grant", got=first)
    second = refused.reason(lambda: client.refresh(fresh.refresh_token or ""))
    narrator.check(
        "and since one of the two is a thief, the token that replaced it is worth nothing either",
        second == "invalid_grant",
        got=second,
    )
    answer = client.call(f"{scene.stage.api}/claims", old.access_token)
    narrator.check("nor is the first access token", answer.status == 401, got=str(answer.status))
    _show_log(scene)


def _show_log(scene: OAuthScene) -> None:
    for line in scene.heard.take():
        scene.narrator.note(f"  the log: {line}")


def log_in(browser: Browser, page: Page, password: str, *, email: str = EMAIL) -> Page:
    form = page.form_with("email", "password")
    button = next((button for button in form.buttons if button.value != "cancel"), None)
    return browser.submit(page, form, {"email": email, "password": password}, button)


def decide(browser: Browser, page: Page, decision: str) -> Page:
    """Presses the button of the consent page whose value is `decision`: "allow" or "deny"."""
    for form in page.forms:
        for button in form.buttons:
            if button.value == decision:
                return browser.submit(page, form, {}, button)
    raise LookupError(
        f'the page "{page.title}" at {without_query(page.url)} ({page.status}) has no button "{decision}"'
    )


def _find_sentences(scene: OAuthScene, consent: Page) -> str:
    """What the page says of the scopes that were asked for."""
    sentences = ("See your name", "See your e-mail address", "See your records", "Keep access while you are away")
    return "; ".join(sentence for sentence in sentences if sentence in consent.text)


def _find_published(scene: OAuthScene, signature: str) -> tuple[str, str | None]:
    from edgeworker.testing.issuer import kv_key

    key = kv_key(signature)
    return key, scene.entry("SPLIT", key)


def _everything(scene: OAuthScene, binding: str) -> str:
    """All keys and values of a namespace, as one text."""

    async def read() -> object:
        namespace = scene.stage.namespace(binding)
        lines = []
        for key in (await namespace.list()).keys:
            lines.append(f"{key.name} {(await namespace.get(key.name) or b'').decode('utf-8', 'replace')}")
        return "\n".join(lines)

    return str(scene.wait(read()))


def _field(answer: object, name: str) -> str:
    headers = getattr(answer, "headers", {})
    return str(headers.get(name, ""))


def without_query(url: str) -> str:
    """Without the query, which holds what is secret."""
    return url.partition("?")[0]
