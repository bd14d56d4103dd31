"""Workers made of public npm packages, bundled with esbuild: both engines answer the same requests alike."""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from edgeworker.config import JSON
from edgeworker.messages import URL, Body, Headers, Request, Response
from edgeworker.runtime.contract.javascript import EnvEntry, EnvNamespace, EnvValue
from tests.npm_tools import missing, node_tools
from tests.patience import PATIENCE_SECONDS
from tests.runtime.engines.stage import Stage, memory_namespace, staged

pytestmark = pytest.mark.node

SOURCES: Final = Path(__file__).parent / "public"
PATIENCE: Final = PATIENCE_SECONDS
# What is new in each answer: keys, tokens, cookies that are encrypted with them, durations.
NEW: Final = re.compile(r"(eyJ[\w.-]{40,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\"[xy]\":\"[\w-]+\"|dur=[\d.]+)")
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
A_JSON: Final = {"Content-Type": "application/json"}
PARTS: Final = {"Content-Type": "multipart/form-data; boundary=b", "Origin": "https://shop.example.com"}
PARTS_BODY: Final = (
    '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnn\r\n--b\r\nContent-Disposition: form-data; '
    'name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n--b--\r\n'
)


@dataclass(frozen=True, slots=True)
class Ask:
    status: int
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class PublicWorker:
    """`packages` are of npm. `stored` is what its KV namespaces hold, `values` its vars."""

    packages: tuple[str, ...]
    asks: tuple[Ask, ...]
    stored: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    values: Mapping[str, JSON] = field(default_factory=dict)


def post(status: int, target: str, headers: Mapping[str, str], body: str) -> Ask:
    return Ask(status, target, headers, body, "POST")


AUTHORIZE: Final = (
    "/authorize?redirect_uri=https%3A%2F%2Fshop.example.com%2Fcallback&client_id=your-client-id&response_type=code"
)
WORKERS: Final[Mapping[str, PublicWorker]] = {
    "router.js": PublicWorker(
        ("itty-router",),
        (
            Ask(200, "/"),
            Ask(200, "/example/h%C3%A9"),
            post(200, "/post", A_JSON, '{"a":1}'),
            Ask(200, "/search?a=1&b=2"),
            Ask(404, "/nope"),
        ),
    ),
    "todos.js": PublicWorker(
        ("worktop",),
        (
            *(post(201, "/users/ann/todos", A_JSON, json.dumps({"title": title})) for title in "abc"),
            Ask(200, "/users/ann/todos"),
            Ask(200, "/users/ann/todos/ca978112", {"Cookie": "a=b"}),
            post(422, "/users/ann/todos", A_JSON, "{}"),
            Ask(204, "/users/ann/todos/ca978112", method="DELETE"),
            Ask(404, "/users/ann/todos/ca978112"),
            Ask(
                204,
                "/users/x/todos",
                {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"},
                method="OPTIONS",
            ),
            Ask(404, "/zzz"),
        ),
        {"TODOS": {}},
    ),
    "edge_proxy.ts": PublicWorker(
        (),
        (
            Ask(200, "/"),
            Ask(200, "/", {"Cookie": "x=1; ab=a"}),
            Ask(200, "/cors?url=https://outside.test/x%3Fy", {"Origin": "https://o.test", "Cookie": "a=b"}),
            post(200, "/cors?url=https://outside.test/x", {"Content-Type": "text/plain"}, "body"),
            Ask(403, "/cors?url=https://evil.test/"),
            Ask(302, "/img/a.png?w=50", {"Accept": "image/avif,*/*"}),
            Ask(400, "/img/a.exe"),
            Ask(200, "/x", {"Origin": "https://o.test"}, method="OPTIONS"),
            Ask(302, "/img/b.jpg", method="HEAD"),
        ),
    ),
    "mirror.js": PublicWorker(
        (), (Ask(200, "/"), Ask(200, "/x?y=1", {"User-Agent": "UA"}), Ask(200, "/", method="HEAD"))
    ),
    "site.js": PublicWorker(
        ("@cloudflare/kv-asset-handler",),
        (
            Ask(200, "/"),
            Ask(200, "/css/site.css"),
            Ask(200, "/css/site.css"),
            Ask(304, "/css/site.css", {"If-None-Match": '"css/site.def456.css"'}),
            Ask(200, "/css/site.css", method="HEAD"),
            Ask(405, "/", method="POST"),
            Ask(404, "/zzz"),
        ),
        {"STATIC": {"index.abc123.html": "<h1>home</h1>", "css/site.def456.css": "a{}", "404.789abc.html": "missing"}},
    ),
    "hono_app.tsx": PublicWorker(
        ("hono", "zod"),
        (
            Ask(200, "/"),
            Ask(200, "/context"),
            Ask(200, "/timed/x"),
            Ask(
                204,
                "/api/echo/x",
                {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT"},
                method="OPTIONS",
            ),
            Ask(200, "/api/echo/abc?a=1&a=2", {"Origin": "https://app.example.com"}, "body", "PUT"),
            Ask(404, "/api/echo/ABC"),
            post(200, "/forms/x", PARTS, PARTS_BODY),
            post(403, "/forms/x", {"Content-Type": "text/plain", "Origin": "https://evil.example"}, "x"),
            Ask(200, "/etag/x"),
            Ask(200, "/json/x?pretty"),
            Ask(401, "/basic/x"),
            Ask(200, "/basic/x", {"Authorization": "Basic YW5uOnNlY3JldA=="}),
            Ask(200, "/bearer/x", {"Authorization": "Bearer t0ken"}),
            Ask(401, "/bearer/x", {"Authorization": "Bearer no"}),
            Ask(200, "/token"),
            Ask(401, "/jwt/x"),
            Ask(
                200,
                "/jwt/x",
                {"Authorization": f"Bearer {jwt.encode({'sub': 'ann', 'exp': 4102444800}, 's3cret' * 6, 'HS256')}"},
            ),
            post(200, "/upload", {"Content-Length": "5"}, "12345"),
            post(413, "/upload", {"Content-Length": "30"}, "1" * 30),
            Ask(504, "/slow/x"),
            Ask(200, "/lang", {"Accept-Language": "de-CH,de;q=0.9"}),
            post(200, "/override", FORM, "_method=DELETE"),
            Ask(200, "/some/open"),
            Ask(401, "/some/x"),
            Ask(200, "/some/x", {"Authorization": "Basic Yjpj"}),
            Ask(200, "/zipped"),
            Ask(200, "/cached/x"),
            Ask(200, "/cached/x"),
            Ask(200, "/page/Ann%20%3C"),
            Ask(200, "/cookies", {"Cookie": "a=1; b=%C3%A9"}),
            Ask(200, "/stream"),
            Ask(200, "/text"),
            Ask(200, "/sse"),
            post(400, "/zod", A_JSON, '{"email":"a","age":3}'),
            post(200, "/zod", A_JSON, '{"email":"a@b.de","age":30}'),
            Ask(204, "/kv/k%2F1", {}, "value", "PUT"),
            Ask(200, "/kv/k%2F1"),
            Ask(301, "/redirect"),
            Ask(500, "/proxy", {"CF-Ray": "r1"}),  # it changes the fields of a fetched answer, which are immutable
            Ask(200, "/html"),
            Ask(200, "/money"),
            Ask(200, "/wait"),
            Ask(200, "/kv/waited"),
            Ask(418, "/throw"),
            Ask(500, "/error"),
            Ask(301, "/x/"),
            Ask(404, "/nope"),
        ),
        {"KV": {}},
        {"SECRET": "s3cret" * 6},
    ),
    "openauth.ts": PublicWorker(
        ("@openauthjs/openauth", "valibot"),
        (
            Ask(302, "/"),
            Ask(200, "/.well-known/oauth-authorization-server"),
            Ask(200, "/callback"),
            Ask(302, AUTHORIZE),
            Ask(200, "/password/authorize"),
            Ask(200, "/password/register"),
            Ask(200, "/.well-known/jwks.json"),
            Ask(404, "/nope"),
        ),
        {"AUTH_STORAGE": {}},
    ),
    "front.ts": PublicWorker(
        (),
        (
            Ask(308, "/old"),
            Ask(308, "/./x/../old"),
            Ask(200, "/shout?text=h%C3%A9llo"),
            Ask(200, "/later"),
            Ask(500, "/fail"),
            Ask(200, "/cached"),
            Ask(200, "/cached"),
            Ask(200, "/page"),
            Ask(304, "/page", {"If-None-Match": '"5686126b"'}),
        ),
        {"CONFIG": {"redirect:/old": "/new", "flag:rewrite": "true"}},
        {"REPORTS": "https://errors.example/report"},
    ),
    "downloads.ts": PublicWorker(
        ("aws4fetch", "hono", "zod"),
        (
            Ask(200, "/metrics"),
            Ask(200, "/dist/"),
            Ask(404, "/nope/"),
            Ask(200, "/dist/v9.tar"),
            Ask(206, "/dist/v9.tar", {"Range": "bytes=0-3"}),
            Ask(404, "/dist/missing"),
            Ask(200, "/dist/v9.tar", method="HEAD"),
        ),
        {
            "LISTINGS": {
                "/dist/": '[{"name":"v10.tar","size":123456,"changed":0},{"name":"v9.tar","size":1,"changed":86400000}]'
            }
        },
        {"SETTINGS": {"bucket": "https://s3.example/b/", "key": "AK", "secret": "sk"}},
    ),
}


class Origin:
    """Pages, files and the keys of an Access team."""

    def __init__(self, keys: Mapping[str, object] | None = None) -> None:
        self._keys = keys

    async def fetch(self, request: Request, /) -> Response:
        url = str(request.url)
        if self._keys is not None:
            return Response(200, Headers(A_JSON), json.dumps(self._keys).encode())
        if "page" in url:
            return Response(
                200, Headers({"Content-Type": "text/html"}), b"<title>x</title><img src=a><img loading=eager>"
            )
        if "missing" in url:
            return Response(404)
        told = [f"{name}: {request.headers.get(name)}" for name in ("authorization", "range", "x-amz-date")]
        status = 206 if request.headers.has("range") else 200
        return Response(status, Headers({"Content-Type": "text/plain"}), f"{request.method} {url} {told}".encode())


@pytest.mark.parametrize("name", WORKERS)
async def test_both_engines_answer_alike(name: str, tmp_path: Path) -> None:
    worker = WORKERS[name]
    need(worker.packages)

    answers = {engine: await answered(engine, name, worker, tmp_path / engine) for engine in ("workerd", "embedded")}

    statuses = [status for status, _, _ in answers["embedded"]]
    assert statuses == [ask.status for ask in worker.asks]
    for ask, ours, workerds in zip(worker.asks, answers["embedded"], answers["workerd"], strict=True):
        assert ours == workerds, ask


def need(packages: Sequence[str]) -> None:
    for package in packages:
        if not (node_tools() / "node_modules" / package).is_dir():
            missing(f"the npm package {package} is needed; see tests/npm_tools.py")


async def answered(
    engine: str, name: str, worker: PublicWorker, folder: Path
) -> list[tuple[int, list[tuple[str, str]], str]]:
    env: dict[str, EnvEntry] = {key: EnvValue(value) for key, value in worker.values.items()}
    for binding, stored in worker.stored.items():
        namespace = memory_namespace()
        for key, value in stored.items():
            await namespace.put(key, value)
        env[binding] = EnvNamespace(namespace)
    answers = []
    async with public(engine, name, folder, env) as stage:
        for ask in worker.asks:
            response = await send(stage, ask, Origin())
            content = b"" if response.body is None else await response.body.read()
            # The date, and how long a cached answer was kept, are the machine's; lengths and the body of an answer to
            # HEAD are the server's affair.
            not_compared = ("age", "content-length", "date")
            fields = [pair for pair in response.headers.entries() if pair[0] not in not_compared]
            text = "" if ask.method == "HEAD" else content.decode("utf-8", "replace")
            shown = [(field, NEW.sub("*", value)) for field, value in fields]
            answers.append((response.status, sorted(shown), NEW.sub("*", text)))
    return answers


def public(engine: str, name: str, folder: Path, env: Mapping[str, EnvEntry]) -> AbstractAsyncContextManager[Stage]:
    folder.mkdir()
    (folder / "node_modules").symlink_to(node_tools() / "node_modules")
    flags = ("nodejs_compat", "global_fetch_strictly_public")
    return staged(engine, folder, (SOURCES / name).read_text(), env, name=name, flags=flags)


async def send(stage: Stage, ask: Ask, origin: Origin) -> Response:
    url = URL.parse(f"https://shop.example.com{ask.target}")
    body = None if ask.body is None else Body(ask.body.encode())
    return await asyncio.wait_for(
        stage.send(Request(ask.method, url, Headers(dict(ask.headers)), body), origin), PATIENCE
    )


ENGINES: Final = ["workerd", "embedded"]
TEAM: Final = "https://team.example"
NOW: Final = 1_790_000_000  # what access.ts takes for now


def access_token(key: rsa.RSAPrivateKey, **changed: JSON) -> str:
    claims = {"iss": TEAM, "aud": ["aud1"], "email": "ann@example.com", "exp": NOW + 100, "iat": NOW - 100, **changed}
    return jwt.encode(claims, key, "RS256", headers={"kid": "k1"})


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_check_of_access_tokens_with_jose(engine: str, tmp_path: Path) -> None:
    need(("jose",))
    key = rsa.generate_private_key(65537, 2048)
    published = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    origin = Origin({"keys": [{**published, "kid": "k1", "alg": "RS256", "use": "sig"}]})
    good = access_token(key)
    sent = {
        good: '{"email":"ann@example.com","kid":"k1"}',
        access_token(key, aud=["other"]): "Invalid token: ERR_JWT_CLAIM_VALIDATION_FAILED",
        access_token(key, exp=NOW - 1): "Invalid token: ERR_JWT_EXPIRED",
        f"{good[:-8]}AAAAAAAA": "Invalid token: ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        "x.y.z": "Invalid token: ERR_JWS_INVALID",
    }
    env = {"TEAM_DOMAIN": EnvValue(TEAM), "POLICY_AUD": EnvValue("aud1")}

    async with public(engine, "access.ts", tmp_path / "worker", env) as stage:
        for token, text in sent.items():
            response = await send(stage, Ask(0, "/", {"Cf-Access-Jwt-Assertion": token}), origin)
            assert response.body is not None
            assert (await response.body.read()).decode() == text
        assert (await send(stage, Ask(0, "/"), origin)).status == 403


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_code_flow_of_workers_oauth_provider(engine: str, tmp_path: Path) -> None:
    need(("@cloudflare/workers-oauth-provider",))
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = "https://app.example/cb"

    async with public(
        engine, "oauth_provider.ts", tmp_path / "worker", {"OAUTH_KV": EnvNamespace(memory_namespace())}
    ) as stage:

        async def told(ask: Ask) -> dict[str, str]:
            response = await send(stage, ask, Origin())
            assert response.status == ask.status
            assert response.body is not None
            found: dict[str, str] = json.loads(await response.body.read())
            return found

        refused = await send(stage, Ask(401, "/api/x"), Origin())
        assert (refused.status, "Bearer" in (refused.headers.get("www-authenticate") or "")) == (401, True)
        client = {"redirect_uris": [back], "client_name": "App", "token_endpoint_auth_method": "none"}
        id = (await told(post(201, "/oauth/register", A_JSON, json.dumps(client))))["client_id"]
        asked = f"/authorize?response_type=code&client_id={id}&redirect_uri={back}&scope=read&state=s"
        sent = await send(stage, Ask(302, f"{asked}&code_challenge={challenge}&code_challenge_method=S256"), Origin())
        answer = parse_qs(urlsplit(sent.headers.get("location") or "").query)
        assert answer["state"] == ["s"]
        grant = f"grant_type=authorization_code&code={answer['code'][0]}&client_id={id}&redirect_uri={back}"
        tokens = await told(post(200, "/oauth/token", FORM, f"{grant}&code_verifier={verifier}"))
        shown = await told(Ask(200, "/api/x", {"Authorization": f"Bearer {tokens['access_token']}"}))
        assert shown == {"path": "/api/x", "props": {"userId": "ann", "name": "Ann"}}
        again = f"grant_type=refresh_token&refresh_token={tokens['refresh_token']}&client_id={id}"
        assert (await told(post(200, "/oauth/token", FORM, again)))["access_token"] != tokens["access_token"]
        await told(post(400, "/oauth/token", FORM, f"{grant}&code_verifier={verifier}"))
