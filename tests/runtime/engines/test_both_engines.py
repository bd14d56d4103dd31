"""JavaScript workers in both engines: what crosses between them and the edge."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from edgeworker.errors import OriginError
from edgeworker.handler import Context, Handler
from edgeworker.messages import URL, Access, Body, Headers, Request, Response
from edgeworker.runtime.contract.isolate import Scheduled
from edgeworker.runtime.contract.javascript import (
    EnvEntry,
    EnvFetcher,
    EnvMethods,
    EnvNamespace,
    EnvNotEmulated,
    EnvService,
    EnvValue,
    JavaScriptError,
    JavaScriptException,
)
from tests.runtime.engines.stage import Outside, memory_namespace, staged

pytestmark = pytest.mark.parametrize("engine", [pytest.param("workerd", marks=pytest.mark.node), "embedded"])


async def test_a_request_arrives_as_it_was_sent(engine: str, tmp_path: Path) -> None:
    source = """export default { async fetch(request) {
      let immutable = "no";
      try { request.headers.set("a", "b"); } catch (error) { immutable = error.message; }
      return Response.json({ url: request.url, method: request.method, headers: [...request.headers], cf: request.cf,
        body: await request.text(), immutable });
    } }"""
    request = Request(
        "POST",
        URL.parse("https://shop.example.com/a%20b?c=%C3%A9"),
        Headers({"X-One": "1", "CF-Ray": "abc-LOC", "Ew-Event": "scheduled", "ew-scheme": "http"}),
        Body(b"content"),
        cf={"colo": "XYZ"},
    )

    async with staged(engine, tmp_path, source) as stage:
        response = await stage.send(request)
        assert response.body is not None
        told = json.loads(await response.body.read())

    fields = dict(told.pop("headers"))
    assert (fields["cf-ray"], fields["x-one"]) == ("abc-LOC", "1")
    # The link to a child has fields of its own, which no client may set; the embedded engine has no link.
    assert ("ew-event" in fields) == (engine == "embedded")
    assert told == {
        "url": "https://shop.example.com/a%20b?c=%C3%A9",
        "method": "POST",
        "cf": {"colo": "XYZ"},
        "body": "content",
        "immutable": "Can't modify immutable headers.",
    }


async def test_a_subrequest_is_sent_by_the_invocation_that_it_belongs_to(engine: str, tmp_path: Path) -> None:
    source = """export default { async fetch(request) {
      const name = new URL(request.url).pathname.slice(1);
      await new Promise((resolve) => setTimeout(resolve, name === "a" ? 50 : 1));
      return fetch(`http://elsewhere.test/${name}`, { method: "POST", body: name });
    } }"""
    one, two = Outside(), Outside()

    async with staged(engine, tmp_path, source) as stage:
        slow = stage.send(Request("GET", URL.parse("http://x.test/a"), Headers({"CF-Ray": "same"})), one)
        fast = stage.send(Request("GET", URL.parse("http://x.test/b"), Headers({"CF-Ray": "same"})), two)
        answers = await asyncio.gather(slow, fast)
        texts = [await answer.body.read() for answer in answers if answer.body is not None]

    assert texts == [b"POST http://elsewhere.test/a a", b"POST http://elsewhere.test/b b"]
    assert [str(request.url) for request in one.requests] == ["http://elsewhere.test/a"]
    assert not [name for name, _ in one.requests[0].headers if name.startswith("ew-")]


async def test_a_fetch_that_the_edge_refuses_throws_with_its_text(engine: str, tmp_path: Path) -> None:
    class Refusing:
        async def fetch(self, request: Request, /) -> Response:
            raise OriginError("10.0.0.1 is not on the public internet", status=403)

    source = """export default { async fetch() {
      try { return await fetch("http://10.0.0.1/"); } catch (error) { return new Response(String(error)); }
    } }"""

    async with staged(engine, tmp_path, source) as stage:
        response = await stage.send(Request("GET", URL.parse("http://x.test/")), Refusing())
        assert response.body is not None
        assert await response.body.read() == b"Error: 10.0.0.1 is not on the public internet"


async def test_env_has_what_the_bindings_are(engine: str, tmp_path: Path) -> None:
    class Other:
        def handler(self, caller: Context) -> Handler:
            return Outside()

        async def call(
            self, method: str, args: Sequence[object], options: Mapping[str, object], caller: Context
        ) -> object:
            if method == "fail":
                raise TypeError("not so")
            return {"method": method, "args": list(args)}

    async def add(args: Sequence[object]) -> object:
        if args[0] == "x":
            raise JavaScriptError("RangeError", "not a number")
        return args

    source = """import { env as imported } from "cloudflare:workers";
    const caught = async (work) => {
      try { return await work(); } catch (error) { return `${error.name}: ${error.message}`; }
    };
    export default { async fetch(request, env) {
      await env.KV.put("a b/é", "value", { metadata: { m: "é" }, expirationTtl: 100 });
      return Response.json({
        kv: await env.KV.getWithMetadata("a b/é"), missing: await env.KV.get("nope"),
        many: [...await env.KV.get(["a b/é", "nope"])], listed: (await env.KV.list({ prefix: "a" })).keys.length,
        kvError: await caught(() => env.KV.put("k", "v", { expirationTtl: 5 })),
        text: env.TEXT, json: env.JSON, imported: imported.TEXT,
        service: await (await env.OTHER.fetch("http://other/x", { method: "PUT", body: "b" })).text(),
        rpc: await env.OTHER.hello(1, [true, null], new Uint8Array([1, 2]), new Date(5)),
        rpcError: await caught(() => env.OTHER.fail()),
        methods: await env.METHODS.add(4, { a: 5 }), methodError: await caught(() => env.METHODS.add("x")),
        noMethod: typeof env.METHODS.sub, fetcher: await (await env.ASSETS.fetch("http://a/i.html")).text(),
        missingKind: await caught(() => env.DB.prepare("select")),
      });
    } }"""
    env: dict[str, EnvEntry] = {
        "KV": EnvNamespace(memory_namespace()),
        "TEXT": EnvValue('quo"te\\ é\n'),
        "JSON": EnvValue({"a": [1, None, "é"]}),
        "OTHER": EnvService(Other()),
        "METHODS": EnvMethods({"add": add}),
        "ASSETS": EnvFetcher(Outside()),
        "DB": EnvNotEmulated("D1 Database"),
    }

    async with staged(engine, tmp_path, source, env) as stage:
        told = json.loads(await stage.text("/"))

    assert told == {
        "kv": {"value": "value", "metadata": {"m": "é"}, "cacheStatus": None},
        "missing": None,
        "many": [["a b/é", "value"], ["nope", None]],
        "listed": 1,
        "kvError": "Error: KV PUT failed: 400 Invalid expiration_ttl of 5. Expiration TTL must be at least 60.",
        "text": 'quo"te\\ é\n',
        "json": {"a": [1, None, "é"]},
        "imported": 'quo"te\\ é\n',
        "service": "PUT http://other/x b",
        "rpc": {"method": "hello", "args": [1, [True, None], {}, "1970-01-01T00:00:00.005Z"]},
        "rpcError": "TypeError: not so",
        "methods": [4, {"a": 5}],
        "methodError": "RangeError: not a number",
        "noMethod": "undefined",
        "fetcher": "GET http://a/i.html ",
        "missingKind": "Error: env.DB is a D1 Database, which edgeworker does not emulate (.prepare()).",
    }


async def test_the_cache_api_is_the_edges_cache(engine: str, tmp_path: Path) -> None:
    source = """export default { async fetch() {
      const cache = caches.default, other = await caches.open("other");
      const before = await cache.match("http://c/1");
      await cache.put("http://c/1", new Response("kept", { headers: { "cache-control": "max-age=60", "x-a": "b" } }));
      const found = await cache.match("http://c/1");
      const text = await found.text();
      return Response.json([before === undefined, text, found.headers.get("x-a"), found.headers.get("cf-cache-status"),
        (await other.match("http://c/1")) === undefined,
        await cache.delete("http://c/1"), await cache.delete("http://c/1")]);
    } }"""

    async with staged(engine, tmp_path, source) as stage:
        assert json.loads(await stage.text("/")) == [True, "kept", "b", "HIT", True, True, False]


@pytest.mark.parametrize(
    ("thrown", "told"),
    [
        ('throw new TypeError("bad")', r"TypeError: bad\n    at (Object\.)?fetch \(worker\.js:2:"),
        ('throw "text"', "string: text"),
        (
            "return undefined",
            "TypeError: Incorrect type for Promise: the handler returned undefined and not a Response.",
        ),
        ("null.x", "TypeError: (Cannot read properties of null|cannot read property 'x' of null)"),
        ("Promise.reject(new Error('unseen')); await 0; return new Response('fine')", None),
    ],
)
async def test_an_uncaught_exception_is_raised_with_the_places_of_the_source(
    engine: str, tmp_path: Path, thrown: str, told: str | None
) -> None:
    source = f"export default {{ async fetch(request, env, ctx) {{\n  {thrown}\n}} }}"

    async with staged(engine, tmp_path, source) as stage:
        if told is None:
            assert await stage.text("/") == "fine"
            return
        with pytest.raises(JavaScriptException) as raised:
            await stage.text("/")
        described = stage.isolate.describe(raised.value)

    assert re.match(told, described)
    assert "edgeworker-" not in described


async def test_pass_through_on_exception_is_told_with_the_exception(engine: str, tmp_path: Path) -> None:
    source = (
        """export default { async fetch(request, env, ctx) { ctx.passThroughOnException(); throw new Error("x"); } }"""
    )
    request = Request("GET", URL.parse("http://x.test/"))

    async with staged(engine, tmp_path, source) as stage:
        ctx = stage.context(request)
        with pytest.raises(JavaScriptException):
            await stage.isolate.fetch(request, ctx)

    assert ctx.passes_through


ACCESS = """
const seen = (request, ctx) => ({ cf: request.clone().cf, aud: ctx.access?.aud, has: ctx.access !== undefined });
async function tell(request, ctx) {
  const identity = await ctx.access?.getIdentity();
  return Response.json({ ...seen(request, ctx), identity: identity === undefined ? "none" : identity });
}
"""
SHAPES = {
    "object": ACCESS + "export default { fetch(request, env, ctx) { return tell(request, ctx); } }",
    "class": ACCESS
    + """import { WorkerEntrypoint } from "cloudflare:workers";
    export default class extends WorkerEntrypoint { fetch(request) { return tell(request, this.ctx); } }""",
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_script_finds_who_access_let_in(engine: str, shape: str, tmp_path: Path) -> None:
    async def load_identity() -> Mapping[str, object]:
        return {"email": "ada@example.com", "groups": ["Eng"]}

    url = URL.parse("https://shop.example.com/")
    forged = {"colo": "XYZ", "ew-access": "forged"}
    anyone = Request("GET", url, cf={"colo": "XYZ"} if engine == "embedded" else forged)
    ada = Request("GET", url, cf={"colo": "XYZ"}, access=Access("aud-1", None, load_identity))
    service = Request("GET", url, cf={"colo": "XYZ"}, access=Access("aud-1", None))

    async with staged(engine, tmp_path, SHAPES[shape]) as stage:
        told = []
        for request in (anyone, ada, service):
            body = (await stage.send(request)).body
            assert body is not None
            told.append(json.loads(await body.read()))

    assert told == [
        {"cf": {"colo": "XYZ"}, "has": False, "identity": "none"},
        {
            "cf": {"colo": "XYZ"},
            "aud": "aud-1",
            "has": True,
            "identity": {"email": "ada@example.com", "groups": ["Eng"]},
        },
        {"cf": {"colo": "XYZ"}, "aud": "aud-1", "has": True, "identity": "none"},
    ]


async def test_wait_until_is_waited_for_and_may_fetch(engine: str, tmp_path: Path) -> None:
    source = """export default { async fetch(request, env, ctx) {
      ctx.waitUntil((async () => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        await fetch("http://later.test/");
      })());
      return new Response("now", { headers: { "x-a": "b" } });
    } }"""

    async with staged(engine, tmp_path, source) as stage:
        response = await stage.get("/")
        fields = [field for field in response.headers.entries() if field[0] != "content-length"]
        assert fields == [("content-type", "text/plain;charset=UTF-8"), ("x-a", "b")]
        assert stage.background.pending == 1
        await stage.background.drain()

        assert [str(request.url) for request in stage.outside.requests] == ["http://later.test/"]


async def test_a_stream_may_fetch_until_its_end(engine: str, tmp_path: Path) -> None:
    source = """export default { fetch() {
      const { readable, writable } = new TransformStream();
      (async () => {
        const writer = writable.getWriter();
        for (const part of "abc") await writer.write(await (await fetch(`http://s/${part}`)).bytes());
        await writer.close();
      })();
      return new Response(readable);
    } }"""

    async with staged(engine, tmp_path, source) as stage:
        assert await stage.text("/") == "GET http://s/a GET http://s/b GET http://s/c "


async def test_scheduled_runs_with_its_controller(engine: str, tmp_path: Path) -> None:
    source = """export default { async scheduled(controller, env, ctx) {
      controller.noRetry();
      await fetch(`http://c/${controller.cron.length}/${controller.scheduledTime}`);
    } }"""
    event = Scheduled("* * * * *", 1234)

    async with staged(engine, tmp_path, source) as stage:
        await stage.isolate.scheduled(event, stage.context(Request("GET", URL.parse("http://x.test/"))))

        assert event.no_retry
        assert [str(request.url) for request in stage.outside.requests] == ["http://c/9/1234"]
        assert stage.isolate.handles("scheduled")
        assert not stage.isolate.handles("fetch")
        with pytest.raises(JavaScriptException, match=r"has no fetch\(\) handler"):
            await stage.get("/")


async def test_named_entrypoints_answer_fetch_and_rpc(engine: str, tmp_path: Path) -> None:
    source = """import { WorkerEntrypoint } from "cloudflare:workers";
    export class Admin extends WorkerEntrypoint {
      secret = () => 1;
      fetch(request) { return new Response("admin " + this.env.TEXT); }
      async add(a, b) { await fetch("http://rpc/"); return { sum: a + b, bytes: new Uint8Array([7]) }; }
    }
    export default class extends WorkerEntrypoint {
      fetch() { return new Response("default"); }
      greet(name) { return `hi ${name}`; }
    }
    """
    request = Request("GET", URL.parse("http://x.test/"))

    async with staged(engine, tmp_path, source, {"TEXT": EnvValue("t")}, entrypoints=("Admin",)) as stage:
        ctx = stage.context(request)
        response = await stage.send(request, entrypoint="Admin")
        assert response.body is not None
        assert await response.body.read() == b"admin t"
        assert await stage.text("/") == "default"
        assert await stage.isolate.call("add", [1, 2], {}, ctx, "Admin") == {"sum": 3, "bytes": b"\x07"}
        assert await stage.isolate.call("greet", ["Ann"], {}, ctx) == "hi Ann"
        assert set(stage.isolate.entrypoints()) == {"default", "Admin"}
        for method in ("secret", "constructor", "toString", "__proto__", "env", "nope"):
            with pytest.raises(JavaScriptException, match="does not implement the method"):
                await stage.isolate.call(method, [], {}, ctx, "Admin")


async def test_a_service_worker_has_its_bindings_as_globals(engine: str, tmp_path: Path) -> None:
    source = """import crypto from "crypto";
    addEventListener("fetch", (event) => { event.respondWith(handle(event.request)); });
    async function handle(request) {
      const digest = crypto.createHash("md5").update("x").digest("hex");
      return new Response(`${GREETING} ${await KV.get("k")} ${digest}`);
    }
    """
    namespace = memory_namespace()
    await namespace.put("k", "v")
    env: dict[str, EnvEntry] = {"GREETING": EnvValue("hello"), "KV": EnvNamespace(namespace)}

    async with staged(engine, tmp_path, source, env, flags=("nodejs_compat",)) as stage:
        assert await stage.text("/") == "hello v 9dd4e461268c8034f5c8564e155c67a6"


async def test_a_classic_script_runs_in_sloppy_mode(engine: str, tmp_path: Path) -> None:
    source = """undeclared = "sloppy";
    addEventListener("fetch", function (event) { event.respondWith(new Response(undeclared)); });"""

    async with staged(engine, tmp_path, source) as stage:
        assert await stage.text("/") == "sloppy"
