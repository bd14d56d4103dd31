"""The steps of the API Shield demo. Every one says what it does, does it over HTTP, and checks what came of it."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Final

import jwt

from edgeworker.cli.demo.narrator import Narrator
from edgeworker.cli.demo.serving import until_stopped, until_told
from edgeworker.cli.demo.shield.stage import (
    BILLING,
    EDGE_TOML,
    HOST,
    ISSUER,
    REQUESTS_AN_HOUR,
    Provider,
    ShieldStage,
    set_up,
)
from edgeworker.cli.output import Output
from edgeworker.clock import SystemClock
from edgeworker.config import JSON
from edgeworker.errors import OriginError
from edgeworker.messages import URL, Headers, Request
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.products.api_shield.explaining import explain_request, explanation_lines
from edgeworker.products.api_shield.tables import shield_of

TTL_SECONDS: Final = 300
KEEP_TTL_SECONDS: Final = 12 * 3600
PICTURE: Final = (
    "client ──{H}.{P}.{S}──▶ edge ──X-User: ann──▶ API",
    "                        │",
    "                        └─ public keys, rules: who is refused never reaches the API",
)
_SOURCE: Final = 'http.request.headers["authorization"][0]'


async def perform(out: Output, *, keep: bool) -> bool:
    """The whole show; whether every check held. With `keep` it goes on serving until it is interrupted."""
    narrator, clock = Narrator(out), SystemClock()
    narrator.title(
        "API Shield, from the first token to a rotated key",
        "The edge verifies each JWT with the provider's public keys before the API hears of the request.",
        PICTURE,
    )
    async with set_up() as stage:
        try:
            await until_told(asyncio.to_thread(_tell, narrator, stage, clock.now()), stage.stop)
        except OriginError as error:
            narrator.check("every call was answered", False, got=f"{type(error).__name__}: {error}")
        held = narrator.end()
        if keep and held:
            await _keep(out, stage, clock.now())
    return held


def _tell(narrator: Narrator, stage: ShieldStage, now: int) -> None:
    _configure(narrator, stage)
    _pass(narrator, stage, now)
    _refuse(narrator, stage, now)
    _explain(narrator, stage, now)
    _limit(narrator, stage, now)
    _rotate(narrator, stage, now)
    _leave_alone(narrator, stage)


def _configure(narrator: Narrator, stage: ShieldStage) -> None:
    narrator.step("The edge has this edge.toml, and keys.json from the provider")
    for line in EDGE_TOML.partition("[zones.api_shield]")[2].strip().splitlines():
        narrator.note(line)
    narrator.check("it was read", _shield(stage) is not None)


def _pass(narrator: Narrator, stage: ShieldStage, now: int) -> None:
    narrator.step("A request with a token of the provider")
    token = stage.provider.token("ann", expires_at=now + TTL_SECONDS)
    narrator.sent(f"GET https://{HOST}/orders/7")
    narrator.sent(f"Authorization: Bearer {narrator.token(token)}")
    narrator.sent("X-User: admin")
    answer = stage.get("/orders/7", token, **{"X-User": "admin"})
    narrator.check("it reached the API", answer.status == 200, got=answer.brief)
    seen = stage.api.seen[-1] if stage.api.seen else {}
    narrator.check("the API reads who it is from X-User: ann", seen.get("x-user") == "ann", got=str(seen.get("x-user")))
    narrator.note("what the client wrote there is gone: the edge sets the field from the verified claim")


def _refuse(narrator: Narrator, stage: ShieldStage, now: int) -> None:
    narrator.step("What is refused")
    stranger, good = Provider(stage.provider.kid), stage.provider.token("ann", expires_at=now + TTL_SECONDS)
    header, payload, signature = good.split(".")
    unsigned = {"kid": stage.provider.kid}
    changed = jwt.encode(
        {"iss": ISSUER, "sub": "root", "exp": now + TTL_SECONDS}, "", algorithm="none", headers=unsigned
    ).split(".")
    elsewhere = stage.provider.token("ann", expires_at=now + TTL_SECONDS, iss="https://elsewhere.example")
    cases = [
        ("no token", None, "missing"),
        ("an expired token", stage.provider.token("ann", expires_at=now - 120), "expired"),
        ("another key under the same kid", stranger.token("ann", expires_at=now + TTL_SECONDS), "bad_signature"),
        ("another payload under the same signature", f"{header}.{changed[1]}.{signature}", "bad_signature"),
        ('alg "none"', f"{changed[0]}.{payload}.{signature}", "alg_mismatch"),
        ("a sound token of another issuer", elsewhere, "valid"),
    ]
    reached = len(stage.api.seen)
    for what, token, result in cases:
        answer = stage.get("/orders/7", token)
        logged_result = stage.events.last_result()
        narrator.check(
            f"{what}: {answer.status}, and the event says {result}",
            answer.status == 401 and logged_result == result,
            got=f"{answer.brief} {logged_result}",
        )
    narrator.note(f"the last answer: WWW-Authenticate: {answer.headers.get('www-authenticate', '')}")
    narrator.note(f"the last event: {stage.events.lines[-1] if stage.events.lines else ''}")
    narrator.check("none of these reached the API", len(stage.api.seen) == reached)


def _explain(narrator: Narrator, stage: ShieldStage, now: int) -> None:
    narrator.step("`edgeworker shield explain` says why")
    token = stage.provider.token("ann", expires_at=now + TTL_SECONDS, iss="https://elsewhere.example")
    url = URL.parse(f"https://{HOST}/orders/7").canonical()
    request = Request("GET", url, Headers({"Host": HOST, "Authorization": f"Bearer {token}"}))
    shield = _shield(stage)
    if shield is None:
        return
    explanation = explain_request(shield, request, now_ms=now * 1000)
    for line in explanation_lines(explanation):
        narrator.say(line)
    narrator.check("the token is sound, and its issuer is another", explanation.tokens[0].result == "valid")


def _limit(narrator: Narrator, stage: ShieldStage, now: int) -> None:
    narrator.step(f"Each user has {REQUESTS_AN_HOUR} requests an hour, whatever their address")
    bob = stage.provider.token("bob", expires_at=now + TTL_SECONDS)
    statuses = [stage.get("/orders/7", bob).status for _ in range(REQUESTS_AN_HOUR + 1)]
    narrator.check(f"bob: {' '.join(str(status) for status in statuses)}", statuses == [200] * REQUESTS_AN_HOUR + [429])
    again = stage.get("/orders/7", stage.provider.token("bob", expires_at=now + TTL_SECONDS))
    narrator.check(f"bob with a fresh token: {again.status}", again.status == 429, got=again.brief)
    carol = stage.get("/orders/7", stage.provider.token("carol", expires_at=now + TTL_SECONDS))
    narrator.check(f"carol from the same address: {carol.status}", carol.status == 200, got=carol.brief)


def _rotate(narrator: Narrator, stage: ShieldStage, now: int) -> None:
    narrator.step("The REST API adds an endpoint, a key set and a rule, and then changes a key. Nothing restarts")
    old, new = Provider("2026-11"), Provider("2026-12")
    operations: JSON = [{"method": "GET", "host": BILLING, "endpoint": "/invoices/{id}"}]
    _manage(narrator, stage, "POST", "/api_gateway/operations", operations)
    made = _manage(
        narrator,
        stage,
        "POST",
        "/token_validation/config",
        {
            "title": "billing",
            "description": "",
            "token_type": "jwt",
            "token_sources": [_SOURCE],
            "credentials": {"keys": [old.public_jwk]},
        },
    )
    id = str(made.get("id"))
    _manage(
        narrator,
        stage,
        "POST",
        "/token_validation/rules",
        {
            "title": "invoices need a token of billing",
            "description": "",
            "action": "block",
            "enabled": True,
            "expression": f'(is_jwt_valid("{id}"))',
            "selector": {"include": [{"host": [BILLING]}]},
        },
    )
    token_of = {each: each.token("ann", expires_at=now + TTL_SECONDS) for each in (old, new)}
    before = [stage.get("/invoices/1", token_of[each], host=BILLING).status for each in (old, new)]
    narrator.check(f"tokens of the old and the new key: {before[0]} {before[1]}", before == [200, 401])
    credentials = f"/token_validation/config/{id}/credentials"
    _manage(narrator, stage, "PUT", credentials, {"keys": [old.public_jwk, new.public_jwk]})
    both = [stage.get("/invoices/1", token_of[each], host=BILLING).status for each in (old, new)]
    narrator.check(f"while both are published: {both[0]} {both[1]}", both == [200, 200])
    _manage(narrator, stage, "PUT", credentials, {"keys": [new.public_jwk]})
    after = [stage.get("/invoices/1", token_of[each], host=BILLING).status for each in (old, new)]
    narrator.check(f"without the old one, at the next request: {after[0]} {after[1]}", after == [401, 200])


def _leave_alone(narrator: Narrator, stage: ShieldStage) -> None:
    narrator.step("What validation rules do not look at")
    answer = stage.get("/status")
    narrator.check(f"a path that is not an operation passes without a token: {answer.status}", answer.status == 200)
    narrator.note(
        "as with Cloudflare: list every endpoint (`edgeworker shield import`, `discover`), or write a custom rule"
    )


def _shield(stage: ShieldStage) -> ShieldConfig | None:
    return next((found for zone in stage.config.zones if (found := shield_of(zone)) is not None), None)


def _manage(narrator: Narrator, stage: ShieldStage, method: str, path: str, body: JSON) -> Mapping[str, object]:
    """The result of a call of the REST API, which must succeed."""
    narrator.sent(f"{method} /client/v4/zones/…{path}")
    answer = stage.manage(method, path, body)
    try:
        result = json.loads(answer.body).get("result")
    except ValueError:
        result = None
    narrator.check("the REST API took it", answer.status == 200, got=answer.brief)
    return result if isinstance(result, dict) else {}


async def _keep(out: Output, stage: ShieldStage, now: int) -> None:
    """Prints what to try, and waits for Ctrl-C."""
    token = stage.provider.token(f"you-{time.time_ns()}", expires_at=now + KEEP_TTL_SECONDS)
    call = f"curl -i {stage.edge_url}/orders/7 -H 'Host: {HOST}'"
    out.line()
    out.heading("It keeps running. Try, in another terminal:")
    for what, line in (("a token", f"{call} -H 'Authorization: Bearer {token}'"), ("no token", call)):
        out.line()
        out.note(f"# {what}")
        out.line(line)
    out.line()
    await until_stopped(out, stage.stop)
