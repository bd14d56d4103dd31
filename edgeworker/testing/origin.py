"""The world outside the edge in a test: origins and the internet, answering by rule and remembering what was asked."""

from collections.abc import Container
from typing import Protocol

from edgeworker.clock import Clock
from edgeworker.config import JSON
from edgeworker.errors import OriginError
from edgeworker.handler import Handler
from edgeworker.messages import Request, Response
from edgeworker.runtime.contract import current_invocation
from edgeworker.testing import origin_rules
from edgeworker.testing.content import (
    MISSING,
    BodyLike,
    HeadersLike,
    Missing,
    body_of,
    check_number,
    check_whole_number,
)
from edgeworker.testing.origin_rules import FAILURES, Answering, Failure, OriginRequest, Rule, RulePattern


class Misfortune(Protocol):
    """What goes wrong now and then; see edgeworker.testing.faults."""

    async def before_origin(self, request: OriginRequest) -> None:
        """Raises OriginError where it strikes."""
        ...


class Origin:
    """Every server outside the edge. `requests` are all that reached one, oldest first.

    The latest rule that takes a request answers it. Without a rule an origin answers 200, and a fetch of a host on the
    internet fails, with an error that names the URL and the worker and is kept in `refused`.
    """

    def __init__(self, clock: Clock) -> None:
        self.requests: list[OriginRequest] = []
        self.refused: list[OriginRequest] = []
        self.misfortune: Misfortune | None = None
        self._clock = clock
        self._rules: list[Rule] = []
        self._made_up: tuple[str, Container[object]] | None = None

    def on(
        self,
        pattern: str,
        answer: Answering | None = None,
        *,
        method: str | None = None,
        status: int = 200,
        headers: HeadersLike | None = None,
        body: BodyLike | None = None,
        json: JSON | Missing = MISSING,
        delay_seconds: float = 0.0,
        times: int | None = None,
        announced_length: int | None = None,
        reset_after: int | None = None,
    ) -> Rule:
        """Says what is answered to requests of `pattern` ("/path", "host/path", "https://host/path", with `*`).

        `answer` is a function of the request, async or not, that gives a Response, text or bytes; without one the
        answer is made of the other arguments. `body` as pieces is streamed. `delay_seconds` pass on the edge's clock
        before the answer begins. After `times` answers the rule is used up and an earlier one is asked.
        Pieces that can be read only once serve one answer; a list serves any number.
        `announced_length` is a Content-Length that lies; `reset_after` breaks the connection after so many bytes.

        Raises:
            ValueError: it is not a pattern.
            TypeError: arguments that exclude each other.
        """
        if answer is not None and (body is not None or json is not MISSING):
            raise TypeError("a rule has a function that answers, or an answer, not both")
        if answer is not None and not callable(answer):
            raise TypeError(
                f"the answer of a rule is {answer!r}, which is not a function of the request; for a fixed answer write "
                'body="..." or json={...}'
            )
        check_whole_number("status", status)
        check_number("delay_seconds", delay_seconds)
        if times is not None:
            check_whole_number("times", times)
        lies = announced_length is not None or reset_after is not None
        if lies and body is None and json is MISSING:
            raise TypeError("announced_length and reset_after are about a body: give one")
        if answer is None:
            made = origin_rules.static(
                status,
                headers,
                lambda: body_of(body, json),
                announced_length=announced_length,
                reset_after=reset_after,
            )
            return self._add(Rule(pattern, RulePattern.parse(pattern), method, made, delay_seconds, times))
        return self._add(Rule(pattern, RulePattern.parse(pattern), method, answer, delay_seconds, times))

    def fail(self, pattern: str, status: int = 521, *, method: str | None = None, times: int | None = None) -> Rule:
        """The server fails as Cloudflare numbers it: 520 resets, 521 refuses, 522 and 524 are too slow, 523 has no
        route, 525 and 526 fail in TLS. Raises ValueError for another number."""
        if status not in FAILURES:
            raise ValueError(
                f"{status} is not a way in which an origin can fail; use one of {', '.join(map(str, FAILURES))}"
            )
        return self._add(Rule(pattern, RulePattern.parse(pattern), method, Failure(status), times=times))

    def reset(self, pattern: str, *, method: str | None = None, times: int | None = None) -> Rule:
        """The server closes the connection without an answer."""
        return self.fail(pattern, 520, method=method, times=times)

    def report(self) -> list[str]:
        """The rules that no request matched, as lines for a person."""
        return [f"{rule.method or 'any method'} {rule.pattern}" for rule in self._rules if not rule.requests]

    def clear(self) -> None:
        """Forgets all rules and all requests."""
        self._rules.clear()
        self.requests.clear()
        self.refused.clear()

    @property
    def internet(self) -> Handler:
        """For `Services.internet`."""
        return _Outside(self, None)

    def at(self, base: str) -> Handler:
        """For `Services.origin_at`."""
        return _Outside(self, base)

    async def answer(self, request: Request, base: str | None) -> Response:
        recorded = await _record(request, base)
        rule = self._rule_for(recorded)
        if rule is None and base is None:
            self.refused.append(recorded)
            raise self._refusal(recorded, request)
        if rule is None and self._made_up is not None and base == self._made_up[0]:
            self._check_host(request)
        self.requests.append(recorded)
        if self.misfortune is not None:
            await self.misfortune.before_origin(recorded)
        if rule is None:
            return origin_rules.default(recorded)
        rule.requests.append(recorded)
        if rule.delay_seconds:
            await self._clock.sleep(rule.delay_seconds)
        return await origin_rules.answer(rule, recorded)

    def answer_only_for(self, base: str, hosts: Container[object]) -> None:
        """The origin `base` was not configured: without a rule it has only the hosts that routes and others name."""
        self._made_up = (base, hosts)

    def _check_host(self, request: Request) -> None:
        assert self._made_up is not None
        host = request.url.hostname
        if host not in self._made_up[1]:
            text = (
                f"{host} does not exist here: no route, custom domain or origin of this edge names it; for an origin "
                f'behind it: origin.on("{request.url.origin}/*", ...)'
            )
            raise OriginError(text, status=530, code=1016)

    def _add(self, rule: Rule) -> Rule:
        self._rules.append(rule)
        return rule

    def _rule_for(self, request: OriginRequest) -> Rule | None:
        for rule in reversed(self._rules):
            if not rule.used_up and rule.method in (None, request.method) and rule.matches.takes(request):
                return rule
        return None

    def _refusal(self, recorded: OriginRequest, request: Request) -> OriginError:
        who = "the edge" if recorded.worker is None else f'worker "{recorded.worker}"'
        place = f"{request.url.origin}{request.url.path}"
        text = f'{who} fetched {place}, which no rule of this test allows: origin.on("{place}", ...) would'
        if request.trace is not None:
            request.trace.add("error", text, now=self._clock.monotonic())
        return OriginError(text, status=523)


class _Outside:
    __slots__ = ("_base", "_origin")

    def __init__(self, origin: Origin, base: str | None) -> None:
        self._origin = origin
        self._base = base

    async def fetch(self, request: Request, /) -> Response:
        response = await self._origin.answer(request, self._base)
        response.url = response.url or request.url.href
        return response


async def _record(request: Request, base: str | None) -> OriginRequest:
    url = request.url
    context = current_invocation.current_or_none()
    return OriginRequest(
        method=request.method,
        url=url.href,
        host=url.host,
        path=url.path,
        query=url.query,
        headers=request.headers.copy(),
        body=b"" if request.body is None else await request.body.read(),
        base=base,
        worker=None if context is None else context.name,
    )
