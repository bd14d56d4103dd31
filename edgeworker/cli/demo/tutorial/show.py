"""The steps of `edgeworker demo --javascript`: the same tokens through two workers, one in each language."""

import asyncio
from typing import Final

from edgeworker.cli.demo import wire
from edgeworker.cli.demo.narrator import Narrator
from edgeworker.cli.demo.serving import until_stopped, until_told
from edgeworker.cli.demo.stage import TUTORIAL_PATH, SplitTokenStage, set_up
from edgeworker.cli.demo.tokens import DemoToken
from edgeworker.cli.output import Output
from edgeworker.clock import Clock, SystemClock
from edgeworker.errors import OriginError

TTL_SECONDS: Final = 300
KEEP_TTL_SECONDS: Final = 12 * 3600
# The worker, and the path that leads to it.
WORKERS: Final = (("Python, split-token", "/orders"), ("JavaScript, the tutorial's", f"{TUTORIAL_PATH}orders"))


async def perform(out: Output, *, keep: bool) -> bool:
    """The whole show; whether every check held. With `keep` it goes on serving until it is interrupted."""
    narrator, clock = Narrator(out), SystemClock()
    narrator.title(
        "The split-token tutorial's own worker, unchanged, beside the gateway in Python",
        "Both read the same KV namespace and stand before the same API.",
    )
    async with set_up(tutorial=True) as stage:
        try:
            await until_told(asyncio.to_thread(_tell, narrator, stage, clock), stage.stop)
            kept = await asyncio.to_thread(_publish, narrator, stage, clock, KEEP_TTL_SECONDS) if keep else None
        except OriginError as error:
            narrator.check("every call was answered", False, got=f"{type(error).__name__}: {error}")
            kept = None
        held = narrator.end()
        if kept is not None and held:
            out.line()
            out.heading("It keeps running. Try, in another terminal:")
            for name, path in WORKERS:
                out.line()
                out.note(f"# {name}")
                out.line(f"curl -i {stage.edge_url}{path} -H 'Authorization: Bearer {kept.signature}'")
            out.line()
            await until_stopped(out, stage.stop)
    return held


def _tell(narrator: Narrator, stage: SplitTokenStage, clock: Clock) -> None:
    narrator.step("The tutorial's worker runs in this edge")
    narrator.note("import crypto from 'crypto'; addEventListener('fetch', ...): today's wrangler refuses both together")
    narrator.say(f"it runs in {stage.engine}")
    token = _publish(narrator, stage, clock, TTL_SECONDS)
    _call(narrator, stage, token)
    _refuse(narrator, stage, token, clock)
    _expire(narrator, stage, clock)
    _revoke(narrator, stage, token)


def _publish(narrator: Narrator, stage: SplitTokenStage, clock: Clock, ttl_seconds: int) -> DemoToken:
    narrator.step("One token is published for both: header and payload in KV, under the hash of the signature")
    token = stage.issuer.issue_with_slash_in_key(issued_at=clock.now(), ttl_seconds=ttl_seconds)
    answer = stage.publisher.publish(token)
    narrator.check("the KV REST API took it", answer.status == 200, got=answer.brief)
    return token


def _call(narrator: Narrator, stage: SplitTokenStage, token: DemoToken) -> None:
    narrator.step("The client calls each worker with the signature alone")
    narrator.sent(f"Authorization: Bearer {narrator.token(token.signature)}")
    for name, path in WORKERS:
        answer = _get(stage, path, f"Bearer {token.signature}")
        narrator.check(f"{name}: {answer.status}", answer.status == 200, got=answer.brief)
        seen = stage.api.seen[-1] if stage.api.seen else None
        narrator.check("  the API got the whole JWT, to the letter", seen == f"Bearer {token.whole}")


def _refuse(narrator: Narrator, stage: SplitTokenStage, token: DemoToken, clock: Clock) -> None:
    narrator.step("What both refuse")
    unknown = stage.issuer.issue(issued_at=clock.now(), ttl_seconds=TTL_SECONDS).signature
    cases = [
        ("no token", None),
        ("a token that was not published", f"Bearer {unknown}"),
        ("the whole JWT", f"Bearer {token.whole}"),
        ("another scheme", "Basic dTpw"),
    ]
    reached = len(stage.api.seen)
    for what, authorization in cases:
        for name, path in WORKERS:
            answer = _get(stage, path, authorization)
            challenge = answer.headers.get("www-authenticate", "")
            narrator.check(f"{what}, {name}: {answer.status}", answer.status == 401, got=answer.brief)
            narrator.note(f"  WWW-Authenticate: {challenge}")
    narrator.check("none of these reached the API", len(stage.api.seen) == reached)


def _expire(narrator: Narrator, stage: SplitTokenStage, clock: Clock) -> None:
    narrator.step("Where they differ: an expired token, although KV still has its entry")
    now = clock.now()
    token = stage.issuer.issue(issued_at=now - 3600, ttl_seconds=3540)
    published = stage.publisher.publish(token, expiration=now + 600)
    narrator.check("its entry is in KV", published.status == 200)
    reached = len(stage.api.seen)
    for (name, path), calls in zip(WORKERS, (0, 1), strict=True):
        answer = _get(stage, path, f"Bearer {token.signature}")
        narrator.check(f"{name}: {answer.status}", answer.status == 401, got=answer.brief)
        came = len(stage.api.seen) - reached
        outcome = "refused at the edge" if calls == 0 else "passed on, and refused by the API"
        narrator.check(f"  {outcome}", came == calls, got=str(came))


def _revoke(narrator: Narrator, stage: SplitTokenStage, token: DemoToken) -> None:
    narrator.step("The issuer revokes the first token: it removes the entry")
    answer = stage.publisher.withdraw(token)
    narrator.check("the KV REST API removed it", answer.status == 200, got=answer.brief)
    for name, path in WORKERS:
        status = _get(stage, path, f"Bearer {token.signature}").status
        narrator.check(f"{name}: {status}", status == 401)


def _get(stage: SplitTokenStage, path: str, authorization: str | None) -> wire.WireResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return wire.call(stage.edge_url, "GET", path, headers)
