"""The workers of the two documents that this project began with, in both engines.

Sources: https://curity.io/resources/learn/integrate-cloudflare-gateway/ (the split-token tutorial, whose web page lost
lines that are only closing brackets), https://blog.cloudflare.com/oauth-auth-server/ (fragments of two workers).
"""

import json
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from edgeworker.config import JSON
from edgeworker.host.bundled import scripts_folder
from edgeworker.javascript.build import Build
from edgeworker.javascript.loading import load_project
from edgeworker.messages import URL, Headers, Request, Response
from edgeworker.runtime.contract.javascript import EnvNamespace
from tests.cli.running import dev, environment
from tests.cli.test_binary import binary
from tests.npm_tools import missing, node_tools
from tests.runtime.engines.stage import Stage, memory_namespace, staged
from wrangler_compat import LoadOptions, load

SEEDS: Final = Path(__file__).parent / "seeds"
TUTORIAL: Final = scripts_folder() / "templates" / "tutorial"
ENGINES: Final = [pytest.param("workerd", marks=pytest.mark.node), "embedded"]
# sha256("signature") in base64
KEY: Final = "Gi/CbcfqWipHSLfLKx7xk9lqssmfkwkvaeYwdbKNEng="
CLIENT: Final = "https://consumer.example/"
# Lines of the fragments that are no JavaScript.
BROKEN: Final = {
    "...checks for cases where I am not necessarily logged in...",
    'if (session.msg == "dne") return registerNewUser(, session.pwd)',
    "if(!validClientSecret(request) return errorResponse()",
    "... return token",
}


def test_the_tutorials_worker_is_its_page_with_the_brackets_that_it_lost() -> None:
    page = (SEEDS / "tutorial_index.txt").read_text().splitlines()
    worker = (TUTORIAL / "index.js").read_text().splitlines()

    kept = iter(worker)
    assert all(line in kept for line in page)  # each line, in this order
    added = [line for line in worker if line not in page]
    brackets = {"", "}", "})", "/**", "*/"}
    assert {line.strip() for line in added} - brackets == {"event.respondWith(handleRequest(event.request))"}


def test_the_tutorials_configuration_is_its_page_with_the_array_closed() -> None:
    page = (SEEDS / "tutorial_wrangler.txt").read_text()

    ours = (TUTORIAL / "wrangler.toml").read_text().replace("project-name", "split-tokens-worker")

    assert ours == f"{page}]\n"
    loaded = load(LoadOptions(default_script=Path("worker.py"), cwd=TUTORIAL, configs=(TUTORIAL / "wrangler.toml",)))
    assert not loaded.diagnostics.has_errors


def test_the_fragments_of_the_oauth_server_stand_in_its_worker() -> None:
    worker = [line.strip() for line in (SEEDS / "oauth_worker.ts").read_text().splitlines()]

    for line in (SEEDS / "oauth_fragments.txt").read_text().splitlines():
        assert line.strip() in BROKEN or any(ours.startswith(line.strip()) for ours in worker), line


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("sent", "status", "challenge"),
    [
        (None, 401, "bearer"),
        ("Basic dTpw", 401, "bearer"),
        ("Bearer a b", 401, "bearer"),
        ("Bearer unknown", 401, "bearer, error=invalid_token"),
        ("Bearer signature", 200, None),
    ],
)
async def test_the_split_token_is_glued(
    engine: str, tmp_path: Path, sent: str | None, status: int, challenge: str | None
) -> None:
    namespace = memory_namespace()
    await namespace.put(KEY, "head.body")
    headers = Headers() if sent is None else Headers({"Authorization": sent})
    source = (TUTORIAL / "index.js").read_text()

    async with staged(engine, tmp_path, source, {"TOKENS": EnvNamespace(namespace)}) as stage:
        request = Request("GET", URL.parse("https://example.com/secured?a=b"), headers)
        response = await stage.send(request)
        asked = stage.outside.requests

    assert response.status == status
    assert response.headers.get("www-authenticate") == challenge
    assert [(str(one.url), one.headers.get("authorization")) for one in asked] == (
        [("https://example.com/secured?a=b", "Bearer head.body.signature")] if status == 200 else []
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_the_tutorials_project_runs_as_it_is_generated(engine: str, tmp_path: Path) -> None:
    for file in ("wrangler.toml", "index.js"):
        (tmp_path / file).write_text((TUTORIAL / file).read_text())
    if engine == "workerd":
        (tmp_path / "node_modules").symlink_to(node_tools() / "node_modules")
    else:
        pytest.importorskip("quickjs")

    with dev("--js-engine", engine, cwd=tmp_path) as edge:
        answer = edge.get("example.com", "/secured")

    assert (answer.status, answer.headers.get("www-authenticate")) == (401, "bearer")


@pytest.mark.binary
def test_the_tutorials_project_runs_from_the_binary_without_node(tmp_path: Path) -> None:
    for file in ("wrangler.toml", "index.js"):
        (tmp_path / file).write_text((TUTORIAL / file).read_text())

    with dev(cwd=tmp_path, program=[binary()], env=environment(PATH=str(tmp_path))) as edge:
        answer = edge.get("example.com", "/secured")
        engine = edge.ready["javascript"]

    assert (answer.status, answer.headers.get("www-authenticate")) == (401, "bearer")
    assert engine == "JavaScript in QuickJS: no workerd is in the project's node_modules"


@pytest.mark.binary
@pytest.mark.node
def test_the_tutorials_project_runs_from_the_binary_with_workerd(tmp_path: Path) -> None:
    for file in ("wrangler.toml", "index.js"):
        (tmp_path / file).write_text((TUTORIAL / file).read_text())
    (tmp_path / "node_modules").symlink_to(node_tools() / "node_modules")

    with dev(cwd=tmp_path, program=[binary()]) as edge:
        answer = edge.get("example.com", "/secured")
        engine = edge.ready["javascript"]

    assert (answer.status, answer.headers.get("www-authenticate")) == (401, "bearer")
    assert "it is in the project's node_modules" in str(engine)


@pytest.mark.binary
@pytest.mark.node
def test_the_oauth_server_runs_from_the_binary_as_a_bundle(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    project(source)
    (source / "worker.ts").write_text((SEEDS / "oauth_worker.ts").read_text())
    bundled = load_project(source / "worker.ts", Build(source))
    folder = tmp_path / "deployed"
    folder.mkdir()
    (folder / "worker.js").write_bytes(bundled.modules[0].content)
    (folder / "wrangler.toml").write_text(
        'name = "auth"\nmain = "worker.js"\nno_bundle = true\ncompatibility_date = "2026-07-01"\n'
        'compatibility_flags = ["nodejs_compat"]\n'
        'kv_namespaces = [{ binding = "CODES", id = "c" }, { binding = "TOKENS", id = "t" }]\n'
    )

    with dev(cwd=folder, program=[binary()], env=environment(PATH=str(tmp_path))) as edge:
        page = edge.get("localhost", "/authorize?x=1", headers={"Cookie": "session=1"})
        denied = edge.get("localhost", "/token?code=1&email=a&client_secret=victoriassecret")
        forged = edge.get("localhost", "/resource", headers={"Authorization": "Bearer a.b.c"})

    assert '<a href="https://auth.example.com/code?x=1"> Accept</button>' in page.text
    assert denied.status == 403
    assert json.loads(forged.text)["errors"][0]["type"] == "oauth"


@pytest.mark.node
@pytest.mark.parametrize("engine", ["workerd", "embedded"])
async def test_the_oauth_server_gives_a_token_and_takes_it(engine: str, tmp_path: Path) -> None:
    project(tmp_path)
    env = {"CODES": EnvNamespace(memory_namespace()), "TOKENS": EnvNamespace(memory_namespace())}
    source = (SEEDS / "oauth_worker.ts").read_text()

    async with staged(engine, tmp_path, source, env, name="worker.ts", flags=("nodejs_compat",)) as stage:
        assert (await ask(stage, "/authorize")).status == 401
        page = await ask(stage, "/authorize?x=1", Cookie="session=1")
        assert '<a href="https://auth.example.com/code?x=1"> Accept</button>' in await text(page)
        assert (await ask(stage, "/code")).status == 403
        assert (await ask(stage, "/code", Cookie="session=1")).status == 500
        asked = f"/code?client_id={quote(CLIENT)}&redirect_uri=https://consumer.example/back"
        sent = await ask(stage, asked, Cookie="session=1")
        code = parse_qs(urlsplit(sent.headers.get("location") or "").query)["code"][0]

        who = f"email={quote(CLIENT + 'ann@example.com')}&client_secret=victoriassecret"
        assert (await ask(stage, f"/token?{who}&code=wrong")).status == 403
        given = await ask(stage, f"/token?{who}&code={code}")
        told: dict[str, JSON] = json.loads(await text(given))
        token = str(told["access_token"])
        assert given.headers.get("set-cookie") == f"token=Bearer {token}"
        nothing = json.loads(await text(await ask(stage, "/token")))
        assert nothing["errors"] == [{"message": "there was no code sent to the authorize token url"}]

        shown = json.loads(await text(await ask(stage, "/resource/some-goods", Authorization=f"Bearer {token}")))
        assert shown == {"errors": [], "body": {"of": f"{CLIENT}ann@example.com"}}
        forged = json.loads(await text(await ask(stage, "/resource", Authorization=f"Bearer {token[:-4]}AAAA")))
        assert forged["errors"] == [{"message": "invalid signature", "type": "oauth"}]


def project(folder: Path) -> None:
    if not (node_tools() / "node_modules" / "jsonwebtoken").is_dir():
        missing("the npm package jsonwebtoken is needed; see tests/npm_tools.py")
    (folder / "node_modules").symlink_to(node_tools() / "node_modules")
    (folder / "private.ts").write_text(
        'export const hosts = { auth: "https://auth.example.com", token: "https://token.example.com" };\n'
    )


async def ask(stage: Stage, path: str, **fields: str) -> Response:
    return await stage.get(path, **fields)


async def text(response: Response) -> str:
    return "" if response.body is None else (await response.body.read()).decode()
