"""The control socket of `edgeworker test-server`: what a test in another language does to its edge, over HTTP.

Every answer is JSON but a KV value. Every request needs the token that the server printed when it was ready.
"""

import base64
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import unquote

from aiohttp import web

from edgeworker.config import JSON, Limits
from edgeworker.errors import EdgeworkerError
from edgeworker.host.management.application import Answer, build_request, new_application
from edgeworker.messages import BodyTooLarge
from edgeworker.runtime import ScriptFailure
from edgeworker.strict_json import loads
from edgeworker.testing.calls import RecordedCall
from edgeworker.testing.fields import BadControlRequest, Fields
from edgeworker.testing.issuer import Algorithm, IssuedToken
from edgeworker.testing.local import LocalEdge
from edgeworker.testing.origin_rules import OriginRequest

_BODY_LIMIT: Final = 32 * 1024 * 1024


class Control:
    """`edge` is the current edge; `reset` puts a fresh one in its place."""

    def __init__(self, make: Callable[[], LocalEdge], token: str, on_reset: Callable[[LocalEdge], None]) -> None:
        """`make` makes an edge; `on_reset` gets each one, the first included."""
        self._make = make
        self._token = token
        self._on_reset = on_reset
        self.edge = make()
        on_reset(self.edge)

    def application(self) -> web.Application:
        @web.middleware
        async def answer_in_json(request: web.Request, handler: Answer) -> web.StreamResponse:
            return await self._answer(request, handler)

        application = new_application(Limits(body_bytes=_BODY_LIMIT), answer_in_json)
        for method, path, endpoint in ENDPOINTS:

            async def answer(request: web.Request, endpoint: Endpoint = endpoint) -> web.StreamResponse:
                return await endpoint(self, request)

            application.router.add_route(method, path, answer)
        return application

    async def _answer(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token.encode()):
            return _json({"error": "send `Authorization: Bearer` with the control_token of the ready line"}, 401)
        if request.match_info.http_exception is not None:
            known = ", ".join(sorted({f"{method} {path.partition('{')[0]}" for method, path, _ in ENDPOINTS}))
            return _json({"error": f"no {request.method} {request.path} here; there are: {known}"}, 404)
        try:
            return await handler(request)
        except BodyTooLarge:
            return _json({"error": f"the body is larger than {_BODY_LIMIT} bytes"}, 413)
        except (BadControlRequest, EdgeworkerError, LookupError, ValueError, TypeError) as error:
            return _json({"error": str(error)}, 400)
        except ScriptFailure as failure:
            return _json({"error": f"{failure}: {failure.original}"}, 500)

    async def reset(self) -> None:
        old, self.edge = self.edge, self._make()
        self._on_reset(self.edge)
        await old.aclose()


async def _reset(control: Control, request: web.Request) -> web.StreamResponse:
    await control.reset()
    return _now(control)


async def _read_clock(control: Control, request: web.Request) -> web.StreamResponse:
    return _now(control)


async def _move_clock(control: Control, request: web.Request) -> web.StreamResponse:
    fields = await _fields(request)
    seconds = fields.number("advance")
    fields.finish()
    if seconds is None:
        raise BadControlRequest('"advance" is missing: the seconds to move the clock by')
    control.edge.clock.advance(seconds)
    await control.edge.settle()
    return _now(control)


async def _settle(control: Control, request: web.Request) -> web.StreamResponse:
    await control.edge.settle()
    return _now(control)


async def _list_keys(control: Control, request: web.Request) -> web.StreamResponse:
    binding, key = _binding(request)
    namespace = control.edge.kv(binding)
    if key is None:
        names: list[JSON] = list(namespace.keys())
        return _json({"keys": names})
    found = namespace.find(key)
    if found is None:
        return _json({"error": f'there is no "{key}" in {binding}'}, 404)
    expiration = {} if found.expires_at is None else {"Expiration": str(found.expires_at)}
    return web.Response(body=found.value, headers=expiration, content_type="application/octet-stream")


async def _put_value(control: Control, request: web.Request) -> web.StreamResponse:
    binding, key = _binding(request)
    if key is None:
        raise BadControlRequest("name a key: PUT /kv/BINDING/KEY")
    control.edge.kv(binding).put(
        key,
        await _read(request),
        expiration=_integer(request, "expiration"),
        expiration_ttl=_integer(request, "expiration_ttl"),
    )
    return _json({})


async def _delete_value(control: Control, request: web.Request) -> web.StreamResponse:
    binding, key = _binding(request)
    if key is None:
        control.edge.kv(binding).clear()
    else:
        control.edge.kv(binding).delete(key)
    return _json({})


async def _seed(control: Control, request: web.Request) -> web.StreamResponse:
    content = await _content(request)
    if not isinstance(content, dict):
        raise BadControlRequest('a JSON object is needed: {"key": "value"}')
    control.edge.kv(_binding(request)[0]).seed(content)
    return _json({})


async def _add_rule(control: Control, request: web.Request) -> web.StreamResponse:
    fields = await _fields(request)
    origin = control.edge.origin
    pattern, method, times = fields.text("pattern"), fields.text("method"), fields.integer("times")
    if pattern is None:
        raise BadControlRequest('"pattern" is missing: "/path", "host/path" or "https://host/path"')
    failing = fields.integer("fail")
    if failing is not None:
        fields.finish()
        origin.fail(pattern, failing, method=method, times=times)
        return _json({}, 201)
    status, headers, body, value = (
        fields.integer("status"),
        fields.texts("headers"),
        fields.text("body"),
        fields.value("json"),
    )
    delay, announced, reset_after = (
        fields.number("delay_seconds"),
        fields.integer("announced_length"),
        fields.integer("reset_after"),
    )
    fields.finish()
    origin.on(
        pattern,
        method=method,
        status=200 if status is None else status,
        headers=headers,
        body=body,
        json=value,
        delay_seconds=delay or 0.0,
        times=times,
        announced_length=announced,
        reset_after=reset_after,
    )
    return _json({}, 201)


async def _clear_origin(control: Control, request: web.Request) -> web.StreamResponse:
    control.edge.origin.clear()
    return _json({})


async def _origin_requests(control: Control, request: web.Request) -> web.StreamResponse:
    origin = control.edge.origin
    return _json(
        {
            "requests": [_origin_request(asked) for asked in origin.requests],
            "refused": [_origin_request(asked) for asked in origin.refused],
        }
    )


async def _trace(control: Control, request: web.Request) -> web.StreamResponse:
    return _json({"requests": [_exchange(exchange) for exchange in control.edge.exchanges]})


async def _logs(control: Control, request: web.Request) -> web.StreamResponse:
    return _json(
        {"lines": [{"level": line.level, "logger": line.logger, "text": line.text} for line in control.edge.logs]}
    )


async def _issue(control: Control, request: web.Request) -> web.StreamResponse:
    fields = await _fields(request)
    issuer = control.edge.issuer
    split, variant = fields.flag("split"), fields.text("bad")
    if variant is not None:
        fields.finish()
        return _json(_token(issuer.bad(variant, split=split)), 201)
    sub, ttl, scope, aud = fields.text("sub"), fields.integer("ttl_seconds"), fields.text("scope"), fields.text("aud")
    claims, algorithm = fields.object("claims"), fields.text("algorithm")
    fields.finish()
    token = issuer.token(
        sub="alice" if sub is None else sub,
        split=split,
        ttl_seconds=300 if ttl is None else ttl,
        aud=aud,
        scope=scope,
        algorithm=_algorithm(algorithm),
        claims=claims,
    )
    return _json(_token(token), 201)


async def _serve_keys(control: Control, request: web.Request) -> web.StreamResponse:
    issuer = control.edge.issuer
    issuer.serve()
    return _json({"issuer": issuer.url, "jwks_uri": issuer.jwks_url, "jwks": issuer.jwks()}, 201)


async def _cron(control: Control, request: web.Request) -> web.StreamResponse:
    fields = await _fields(request)
    expression, worker = fields.text("cron"), fields.text("worker")
    fields.finish()
    await control.edge.cron(expression, worker=worker)
    return _json({})


Endpoint = Callable[[Control, web.Request], Awaitable[web.StreamResponse]]

ENDPOINTS: Final[tuple[tuple[str, str, Endpoint], ...]] = (
    ("POST", "/reset", _reset),
    ("GET", "/clock", _read_clock),
    ("POST", "/clock", _move_clock),
    ("POST", "/settle", _settle),
    ("GET", r"/kv/{place:[\s\S]*}", _list_keys),
    ("PUT", r"/kv/{place:[\s\S]*}", _put_value),
    ("DELETE", r"/kv/{place:[\s\S]*}", _delete_value),
    ("POST", r"/kv/{place:[\s\S]*}", _seed),
    ("POST", "/origin/rules", _add_rule),
    ("DELETE", "/origin/rules", _clear_origin),
    ("GET", "/origin/requests", _origin_requests),
    ("GET", "/trace", _trace),
    ("GET", "/logs", _logs),
    ("POST", "/tokens", _issue),
    ("POST", "/keys", _serve_keys),
    ("POST", "/cron", _cron),
)


def _binding(request: web.Request) -> tuple[str, str | None]:
    """(binding, key or None) of "/kv/BINDING/KEY"."""
    place = request.raw_path.partition("?")[0].removeprefix("/kv/")
    binding, slash, key = unquote(place).partition("/")
    if not binding:
        raise BadControlRequest("name a KV binding: /kv/BINDING")
    return binding, key if slash and key else None


def _integer(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise BadControlRequest(f"{name}={text}: a number of seconds is needed, such as {name}=60")
    return int(text)


def _algorithm(name: str | None) -> Algorithm:
    match name:
        case None | "RS256":
            return "RS256"
        case "ES256":
            return "ES256"
        case _:
            raise BadControlRequest(f'"algorithm" is "{name}"; it can be RS256 or ES256')


async def _read(request: web.Request) -> bytes:
    body = build_request(request).body
    return b"" if body is None else await body.read(limit=_BODY_LIMIT)


async def _content(request: web.Request) -> JSON:
    text = await _read(request)
    try:
        content: JSON = loads(text or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadControlRequest(f"the body is not JSON: {error}") from None
    return content


async def _fields(request: web.Request) -> Fields:
    return Fields(await _content(request))


def _origin_request(asked: OriginRequest) -> dict[str, JSON]:
    headers: list[JSON] = [
        [name.decode("ascii"), value.decode("utf-8", "replace")] for name, value in asked.headers.raw
    ]
    return {
        "method": asked.method,
        "url": asked.url,
        "headers": headers,
        "body": asked.text,
        "body_base64": base64.b64encode(asked.body).decode("ascii"),
        "origin": asked.base,
        "worker": asked.worker,
    }


def _exchange(exchange: RecordedCall) -> dict[str, JSON]:
    steps: list[JSON] = [
        {
            "kind": step.kind,
            "text": step.text,
            "at_ms": round(step.at * 1000, 3),
            "took_ms": None if step.took is None else round(step.took * 1000, 3),
        }
        for step in exchange.trace.steps
    ]
    return {"method": exchange.method, "url": exchange.place, "outcome": exchange.outcome, "steps": steps}


def _token(token: IssuedToken) -> dict[str, JSON]:
    return {"token": str(token), "jwt": token.jwt, "key": token.key, "published_value": token.published_value}


def _now(control: Control) -> web.Response:
    clock = control.edge.clock
    return _json({"now": clock.now(), "now_ms": clock.now_ms()})


def _json(content: JSON, status: int = 200) -> web.Response:
    text = json.dumps(content, ensure_ascii=False) + "\n"
    headers = {"Cache-Control": "no-store"}
    return web.Response(
        status=status, headers=headers, body=text.encode("utf-8", "replace"), content_type="application/json"
    )
