"""Applications in front of workers, and what scripts find in `ctx.access`."""

from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.bindings import ServiceBinding
from edgeworker.config import JSON, AccessDev, Assets, Config, Route, Worker, Zone
from edgeworker.javascript.settings import JavaScriptEngine, JavaScriptSettings
from edgeworker.products.access.config import worker_tag
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import CI_HEADERS, ORIGIN, SERVICE, SHOP, Browser, access_of, app
from tests.runtime.engines.stage import workerd

TELLS = """
import json
from workers import Response, WorkerEntrypoint

async def told(ctx):
    access = ctx.access
    if access is None:
        return None
    identity = await access.getIdentity()
    return {"aud": access.aud, "email": None if identity is None else identity.email}

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(json.dumps(await told(self.ctx)))

    async def tell(self):
        return json.dumps(await told(self.ctx))
"""
CALLS = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "rpc" in request.url:
            return Response(await self.env.OTHER.tell())
        return await self.env.OTHER.fetch(request)
"""


def _edge(folder: Path, *, domain: str = "shop.example.com", worker: Worker | None = None, **more: JSON) -> LocalEdge:
    (folder / "tells.py").write_text(TELLS)
    (folder / "calls.py").write_text(CALLS)
    workers = (
        worker or Worker("tells", folder / "tells.py", compatibility_date="2026-01-01"),
        Worker(
            "calls",
            folder / "calls.py",
            (ServiceBinding("OTHER", "tells"),),
            compatibility_date="2026-01-01",
        ),
    )
    config = Config(
        workers=workers,
        routes=(
            Route("shop.example.com/*", "tells", "example.com"),
            Route("calls.example.com/*", "calls", "example.com"),
        ),
        zones=(Zone("example.com", "z1", ORIGIN),),
        products=(access_of(app("shop", domain), app("calls", "calls.example.com"), app("api", "api.example.com")),),
    )
    return LocalEdge(replace(config, **more))  # type: ignore[arg-type]


async def test_a_worker_finds_who_is_logged_in(tmp_path: Path) -> None:
    async with _edge(tmp_path) as edge:
        ada = edge.access.login("ada@example.com", app="shop")

        told = (await edge.fetch(f"{SHOP}/", headers=ada.headers)).json()

        assert told == {"aud": ada.aud, "email": "ada@example.com"}


async def test_a_service_token_has_an_audience_and_no_identity(tmp_path: Path) -> None:
    config = access_of(app("shop", "shop.example.com", SERVICE))
    async with _edge(tmp_path, products=(config,)) as edge:  # type: ignore[arg-type]
        told = (await edge.fetch(f"{SHOP}/", headers=CI_HEADERS)).json()

        assert told == {"aud": edge.access.aud("shop"), "email": None}


@pytest.mark.parametrize("path", ["fetch", "rpc"])
async def test_a_worker_behind_a_service_binding_finds_nothing(tmp_path: Path, path: str) -> None:
    async with _edge(tmp_path) as edge:
        ada = edge.access.login("ada@example.com", app="calls")

        assert (await edge.fetch(f"https://calls.example.com/{path}", headers=ada.headers)).json() is None


@pytest.mark.parametrize("with_assets", [False, True])
async def test_a_worker_with_assets_finds_nothing_and_is_told_once(tmp_path: Path, with_assets: bool) -> None:
    (tmp_path / "public").mkdir()
    assets = Assets(tmp_path / "public", run_worker_first=True)
    worker = Worker("tells", tmp_path / "tells.py", assets=assets, compatibility_date="2026-01-01")
    config = access_of(app("shop", "shop.example.com"), with_assets=with_assets)
    async with _edge(tmp_path, worker=worker, products=(config,)) as edge:  # type: ignore[arg-type]
        ada = edge.access.login("ada@example.com", app="shop")

        told = [(await edge.fetch(f"{SHOP}/", headers=ada.headers)).json() for _ in range(2)]

        warnings = [line for line in edge.logs if "ctx.access is undefined" in line.text]
        assert len(warnings) == (0 if with_assets else 1)
        assert told == [{"aud": ada.aud, "email": "ada@example.com"} if with_assets else None] * 2


async def test_the_identity_for_developing_counts_where_no_access_stands_in_front(tmp_path: Path) -> None:
    worker = Worker(
        "tells",
        tmp_path / "tells.py",
        access_dev=AccessDev("dev", {"email": "dev@example.com"}),
        compatibility_date="2026-01-01",
    )
    async with _edge(tmp_path, domain="other.example.com", worker=worker) as edge:
        assert (await edge.fetch(f"{SHOP}/")).json() == {"aud": "dev", "email": "dev@example.com"}
        assert (await edge.fetch("https://calls.example.com/fetch")).status == 302
        ada = edge.access.login("ada@example.com", app="calls")
        assert (await edge.fetch("https://calls.example.com/fetch", headers=ada.headers)).json() is None


@pytest.mark.parametrize("identifier", ["tells", worker_tag("tells")])
async def test_an_application_may_be_on_a_worker_wherever_it_runs(tmp_path: Path, identifier: str) -> None:
    by_worker = app("w", "x.invalid", destinations=[{"type": "worker", "worker_id": identifier}])
    by_host = app("shop", "shop.example.com/open")
    everyone: JSON = [{"name": "b", "decision": "bypass", "include": [{"everyone": {}}]}]
    by_host.value["policies"] = everyone  # type: ignore[index]
    config = access_of(by_worker, by_host)
    async with _edge(tmp_path, products=(config,)) as edge:  # type: ignore[arg-type]
        assert (await edge.fetch(f"{SHOP}/")).status == 302
        assert (await edge.fetch(f"{SHOP}/open")).status == 200  # a host and path wins over a worker
        assert (await edge.fetch("https://calls.example.com/fetch")).status != 302
        browser = Browser(edge)
        reply = await browser.log_in(f"{SHOP}/x")
        assert (reply.status, browser.trail[-1]) == (200, f"{SHOP}/x")
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
        assert (await browser.step("GET", f"{SHOP}/", headers=upgrade)).status == 403


async def test_an_application_may_be_on_all_workers(tmp_path: Path) -> None:
    config = access_of(app("all", "x.invalid", destinations=[{"type": "all_workers"}]))
    async with _edge(tmp_path, products=(config,)) as edge:  # type: ignore[arg-type]
        assert (await edge.fetch(f"{SHOP}/")).status == 302
        assert (await edge.fetch("https://calls.example.com/fetch")).status == 302
        assert (await edge.fetch("https://www.example.com/")).status == 200  # no worker, an origin


JAVASCRIPT = """
export default { async fetch(request, env, ctx) {
  if (ctx.access === undefined) return Response.json(null);
  const identity = await ctx.access.getIdentity();
  return Response.json({ aud: ctx.access.aud, email: identity?.email ?? null });
} };
"""


@pytest.mark.parametrize("engine", [pytest.param("workerd", marks=pytest.mark.node), "embedded"])
async def test_a_javascript_worker_finds_the_same(tmp_path: Path, engine: JavaScriptEngine) -> None:
    if engine == "embedded":
        pytest.importorskip("quickjs", reason="quickjs-bindings has wheels for CPython 3.11 and 3.13")
    (tmp_path / "tells.js").write_text(JAVASCRIPT)
    plain = Worker("tells", tmp_path / "tells.js", compatibility_date="2026-01-01")
    (tmp_path / "public").mkdir()
    with_assets = replace(plain, assets=Assets(tmp_path / "public", run_worker_first=True))
    javascript = JavaScriptSettings(engine, workerd().program if engine == "workerd" else None)
    for worker in (plain, with_assets):
        async with _edge(tmp_path, worker=worker, javascript=javascript) as edge:  # type: ignore[arg-type]
            ada = edge.access.login("ada@example.com", app="shop")
            calls = edge.access.login("ada@example.com", app="calls")

            told = (await edge.fetch(f"{SHOP}/", headers=ada.headers)).json()
            over_binding = (await edge.fetch("https://calls.example.com/fetch", headers=calls.headers)).json()

            expected = {"aud": ada.aud, "email": "ada@example.com"} if worker is plain else None
            assert (told, over_binding) == (expected, None)
            warnings = [line for line in edge.logs if "ctx.access is undefined" in line.text]
            assert len(warnings) == (worker is with_assets)
