"""`ctx.exports` and `ctx.access`."""

from pathlib import Path

import pytest

from edgeworker.config import AccessDev, Config, Worker
from edgeworker.edge import build
from edgeworker.handler import Background, Services
from edgeworker.kv.memory import MemoryStore
from edgeworker.messages import URL, Access, Request
from edgeworker.testing import Edge
from tests.kv.clocks import FakeClock
from tests.runtime.stage import Origin, Stage

OWN = """
from workers import Response, WorkerEntrypoint

class Admin(WorkerEntrypoint):
    async def who(self, greeting="hi"):
        return f"{greeting} {getattr(self.ctx.props, 'user', 'nobody')}"

    async def fetch(self, request):
        return Response(f"admin {request.url}")

class Default(WorkerEntrypoint):
    async def add(self, one, other):
        return one + other

    async def fetch(self, request):
        exports = self.ctx.exports
        try:
            return Response(str((EXPRESSION)))
        except Exception as error:
            return Response(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        ("await exports.Admin.who()", "hi nobody"),
        ("await exports.Admin({'props': {'user': 'Ann'}}).who()", "hi Ann"),
        ("await exports.Admin(props={'user': 'Ann'}).who(greeting='hej')", "hej Ann"),
        ("await (await exports.Admin.fetch('https://x.example/a')).text()", "admin https://x.example/a"),
        ("await exports.default.add(1, 2), await exports.Default.add(1, 2)", "(3, 3)"),
        ("exports.object_keys(), hasattr(exports, 'Nothing')", "(['default', 'Admin'], False)"),
        ("exports.Nothing", "AttributeError: ctx.exports has no 'Nothing'; it has: default, Admin"),
        ("await exports.Admin.missing()", "ScriptError: worker.py: class Admin: Method missing does not exist"),
        ("exports.Admin(5)", 'TypeError: ctx.exports.Admin is called with {"props": {...}}'),
    ],
)
async def test_a_script_calls_its_own_entrypoints(stage: Stage, expression: str, gives: str) -> None:
    stage.add(OWN.replace("EXPRESSION", expression))

    assert (await stage.get()).text == gives


async def test_a_script_that_calls_itself_for_ever_comes_to_an_end(stage: Stage) -> None:
    stage.add(
        """
from workers import Response, WorkerEntrypoint
class Default(WorkerEntrypoint):
    async def again(self):
        return await self.ctx.exports.default.again()
    async def fetch(self, request):
        try:
            await self.again()
        except RuntimeError as error:
            return Response(str(error))
"""
    )

    assert "Subrequest depth limit exceeded" in (await stage.get()).text


SHOWN = """
from workers import Response, WorkerEntrypoint
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        access = self.ctx.access
        if access is None:
            return Response("nobody")
        identity = await access.getIdentity()
        return Response(f"{access!r} {identity and identity.email} {identity and identity.groups[0].name}")
"""
FILE = """
name = "w"
main = "worker.py"
compatibility_date = "2026-08-01"
compatibility_flags = ["python_workers"]
"""


def project(folder: Path, more: str = "") -> Path:
    (folder / "worker.py").write_text(SHOWN)
    (folder / "wrangler.toml").write_text(FILE + more)
    return folder


def test_access_dev_of_wrangler_toml_is_who_a_script_finds(tmp_path: Path) -> None:
    more = '[access.dev]\naud = "a1"\nidentity = { email = "ann@example.com", groups = [{ name = "staff" }] }\n'
    with Edge(project(tmp_path, more)) as edge:
        reply = edge.get("/")

    assert reply.text == "Access(aud='a1') ann@example.com staff"


def test_access_dev_without_an_identity_is_a_service_token(tmp_path: Path) -> None:
    with Edge(project(tmp_path, '[access.dev]\naud = "a1"\n')) as edge:
        assert edge.get("/").text == "Access(aud='a1') None None"


def test_without_access_there_is_no_one(tmp_path: Path) -> None:
    with Edge(project(tmp_path)) as edge:
        assert edge.get("/").text == "nobody"


@pytest.mark.parametrize(("developing", "text"), [(True, "Access(aud='a1') None None"), (False, "nobody")])
async def test_access_dev_lets_no_one_in_where_no_one_develops(tmp_path: Path, developing: bool, text: str) -> None:
    project(tmp_path)
    worker = Worker("w", tmp_path / "worker.py", access_dev=AccessDev("a1"))
    config = Config((worker,), default_worker="w", default_on_every_host=True, trigger_urls=developing)
    origin = Origin()
    services = Services(FakeClock(), Background(), origin, lambda _base: origin)
    edge = await build(config, services, MemoryStore())

    response = await edge.fetch(Request("GET", URL.parse("https://x.example/")))
    assert response.body is not None
    assert (await response.body.read()).decode() == text
    await edge.close()


async def test_whom_access_let_in_wins_over_the_configuration(stage: Stage) -> None:
    worker = stage.add(SHOWN)
    worker._access = Access("of the configuration")
    identity = {"email": "bob@example.com", "groups": [{"name": "g"}]}
    request = Request("GET", URL.parse("https://x.example/"), access=Access("real", identity))

    response = await worker.run(request, stage.origin)
    assert response.body is not None
    assert (await response.body.read()).decode() == "Access(aud='real') bob@example.com g"
