"""The demo's steps, one function each. Every one says what it does, does it over HTTP, and checks what came of it."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import jwt

from edgeworker.cli.demo import wire
from edgeworker.cli.demo.narrator import Narrator
from edgeworker.cli.demo.serving import until_stopped, until_told
from edgeworker.cli.demo.stage import SplitTokenStage, set_up
from edgeworker.cli.demo.tokens import DemoToken, Publisher
from edgeworker.cli.output import Output
from edgeworker.clock import Clock, SystemClock
from edgeworker.errors import OriginError

PATH: Final = "/orders"
TTL_SECONDS: Final = 300
KEEP_TTL_SECONDS: Final = 12 * 3600


async def perform(out: Output, *, keep: bool) -> bool:
    """The whole show; whether every check held. With `keep` it goes on serving until it is interrupted."""
    narrator, clock = Narrator(out), SystemClock()
    narrator.title(
        "Split Token, from end to end on this machine",
        "The client holds only a JWT's signature, the edge's KV only its header and payload. Neither is of use alone.",
    )
    async with set_up() as stage:
        try:
            await until_told(asyncio.to_thread(_tell, narrator, stage, clock), stage.stop)
            kept = await asyncio.to_thread(_publish_for_keeps, narrator, stage, clock) if keep else None
        except OriginError as error:
            narrator.check("every call was answered", False, got=f"{type(error).__name__}: {error}")
            kept = None
        held = narrator.end()
        if kept is not None and held:
            await _keep(out, stage, kept)
    return held


def _tell(narrator: Narrator, stage: SplitTokenStage, clock: Clock) -> None:
    token = _issue(narrator, stage, clock)
    _publish(narrator, stage.publisher, token)
    _call(narrator, stage, token)
    _refuse(narrator, stage, token, clock)
    _refuse_expired(narrator, stage, clock)
    _revoke(narrator, stage, token)


def _issue(narrator: Narrator, stage: SplitTokenStage, clock: Clock) -> DemoToken:
    narrator.step("The issuer makes an RSA key and signs a JWT")
    token = stage.issuer.issue_with_slash_in_key(issued_at=clock.now(), ttl_seconds=TTL_SECONDS)
    claims = jwt.decode(token.whole, options={"verify_signature": False})
    narrator.say(narrator.token(token.whole))
    narrator.note(f"{len(token.whole)} characters: header, payload, signature (RS256)")
    narrator.note(", ".join(f"{name}={claims[name]}" for name in ("iss", "aud", "sub", "scope")))
    status, _ = stage.api.answer(f"Bearer {token.whole}")
    stage.api.seen.clear()
    narrator.check("the public key verifies it", status == 200, got=str(status))
    return token


def _publish(narrator: Narrator, publisher: Publisher, token: DemoToken) -> None:
    narrator.step("The publisher writes header and payload to KV, under the hash of the signature")
    target = publisher.target(token, expiration=token.exp)
    narrator.sent(f"PUT {_shorten(target)}")
    narrator.note(f"with ?{target.partition('?')[2]}: gone soon after the token's exp")
    narrator.sent(narrator.token(token.value))
    answer = publisher.publish(token)
    narrator.check(
        "the KV REST API took it", answer.status == 200 and _document(answer).get("success") is True, got=answer.brief
    )
    narrator.check(f'the key {token.key[:10]}… with its "/" is one key', _names(publisher.keys()) == [token.key])
    stored = publisher.stored(token)
    narrator.check(
        "KV holds header and payload, and no signature", stored.body.decode() == token.value, got=stored.brief
    )


def _call(narrator: Narrator, stage: SplitTokenStage, token: DemoToken) -> None:
    narrator.step("The client calls the edge with the signature alone")
    narrator.sent(f"GET {stage.edge_url}{PATH}")
    narrator.sent(f"Authorization: Bearer {narrator.token(token.signature)}")
    answer = _get(stage, f"Bearer {token.signature}")
    narrator.check("the edge let it through", answer.status == 200, got=answer.brief)
    seen = stage.api.seen[-1] if stage.api.seen else None
    narrator.check("the API behind it got the whole JWT, to the letter", seen == f"Bearer {token.whole}")
    narrator.say(f"the API saw  Bearer {narrator.token((seen or '').removeprefix('Bearer '))}")
    document = _document(answer)
    narrator.check(
        f"the API verified it ({document.get('verified')}) and knows the user: {document.get('of')}",
        document.get("of") == "ann",
    )
    narrator.check("the answer tells the client nothing of the JWT", token.value.encode() not in answer.body)


def _refuse(narrator: Narrator, stage: SplitTokenStage, token: DemoToken, clock: Clock) -> None:
    narrator.step("What is refused")
    unknown = stage.issuer.issue(issued_at=clock.now(), ttl_seconds=TTL_SECONDS).signature
    cases = [
        ("no token", None, None),
        ("a token that was not published", f"Bearer {unknown}", "invalid_token"),
        ("the whole JWT", f"Bearer {token.whole}", "invalid_token"),
        ("header and payload without the signature", f"Bearer {token.value}", "invalid_token"),
    ]
    reached = len(stage.api.seen)
    for what, authorization, error in cases:
        _check_refused(narrator, what, _get(stage, authorization), error)
    narrator.check("none of these reached the API", len(stage.api.seen) == reached)


def _refuse_expired(narrator: Narrator, stage: SplitTokenStage, clock: Clock) -> None:
    narrator.step("An expired token, although KV still has its entry")
    now = clock.now()
    token = stage.issuer.issue(issued_at=now - 3600, ttl_seconds=3540)
    narrator.note(f"its exp was {_time(token.exp)}, a minute ago; the entry stays until {_time(now + 600)}")
    published = stage.publisher.publish(token, expiration=now + 600)
    narrator.check("its entry is in KV", published.status == 200 and stage.publisher.stored(token).status == 200)
    reached = len(stage.api.seen)
    answer = _get(stage, f"Bearer {token.signature}")
    _check_refused(narrator, "the expired token", answer, "invalid_token")
    narrator.check("it did not reach the API", len(stage.api.seen) == reached)


def _revoke(narrator: Narrator, stage: SplitTokenStage, token: DemoToken) -> None:
    narrator.step("The issuer revokes the first token: it removes the entry")
    answer = stage.publisher.withdraw(token)
    narrator.check("the KV REST API removed it", answer.status == 200, got=answer.brief)
    _check_refused(narrator, "the revoked token", _get(stage, f"Bearer {token.signature}"), "invalid_token")


def _check_refused(narrator: Narrator, what: str, answer: wire.WireResponse, error: str | None) -> None:
    """401 with a challenge: an error code where a token was sent, none where none was (RFC 6750 section 3.1)."""
    challenge = answer.headers.get("www-authenticate", "")
    expected = 'Bearer realm="orders"' + ("" if error is None else f', error="{error}"')
    holds = answer.status == 401 and (challenge == expected if error is None else challenge.startswith(expected + ","))
    narrator.check(
        f"{what}: {answer.status}", holds and answer.headers.get("cache-control") == "no-store", got=challenge
    )
    narrator.note(f"  WWW-Authenticate: {challenge}")


def _publish_for_keeps(narrator: Narrator, stage: SplitTokenStage, clock: Clock) -> DemoToken:
    narrator.step("A token for you to try")
    token = stage.issuer.issue_with_slash_in_key(issued_at=clock.now(), ttl_seconds=KEEP_TTL_SECONDS)
    answer = stage.publisher.publish(token)
    narrator.check(f"it is published and valid until {_time(token.exp)}", answer.status == 200, got=answer.brief)
    return token


def _lines_to_try(stage: SplitTokenStage, token: DemoToken) -> list[tuple[str, str]]:
    """(what it shows, a line for a shell)."""
    publisher = stage.publisher
    edge = f"curl -i {stage.edge_url}{PATH}"
    keys = f"{publisher.api_url}{publisher.namespace_path}"
    entry = f"'{keys}/values/{token.key}'"
    publish = f"'{publisher.api_url}{publisher.target(token, expiration=token.exp)}'"
    api = f"-H 'Authorization: Bearer {publisher.api_token}'"
    return [
        ("the signature alone", f"{edge} -H 'Authorization: Bearer {token.signature}'"),
        ("no token", edge),
        ("the whole JWT, which is refused", f"{edge} -H 'Authorization: Bearer {token.whole}'"),
        ("which entries KV has", f"curl -s '{keys}/keys' {api}"),
        ("the entry of this token", f"curl -s {entry} {api}"),
        ("revoke the token; then try the first line again", f"curl -s -X DELETE {entry} {api}"),
        ("publish it again", f"curl -s -X PUT {publish} {api} --data-raw '{token.value}'"),
    ]


async def _keep(out: Output, stage: SplitTokenStage, token: DemoToken) -> None:
    """Prints what to try, and waits for Ctrl-C."""
    out.line()
    out.heading("It keeps running. Try, in another terminal:")
    for what, line in _lines_to_try(stage, token):
        out.line()
        out.note(f"# {what}")
        out.line(line)
    out.line()
    await until_stopped(out, stage.stop)


def _get(stage: SplitTokenStage, authorization: str | None) -> wire.WireResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return wire.call(stage.edge_url, "GET", PATH, headers)


def _document(answer: wire.WireResponse) -> Mapping[str, object]:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _names(answer: wire.WireResponse) -> list[object]:
    result = _document(answer).get("result")
    return [item.get("name") for item in result if isinstance(item, dict)] if isinstance(result, list) else []


def _shorten(target: str) -> str:
    """The publisher's target without the long ids in the middle, and without the query: so it fits into 80 columns."""
    return f"…/namespaces/…/values/{target.partition('/values/')[2].partition('?')[0]}"


def _time(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S UTC")
