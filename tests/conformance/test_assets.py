"""What Cloudflare's own asset workers answered in miniflare, asked of a worker with the same files and settings.

cases/assets.json is recorded by record_assets.mjs and never edited.
"""

import json
from pathlib import Path
from typing import Final

import pytest

from edgeworker.bindings import AssetsBinding
from edgeworker.bindings.assets.wrangler import parse_assets
from edgeworker.clock import SystemClock
from edgeworker.config import JSON, Config, Worker
from edgeworker.edge import Edge, build
from edgeworker.handler import Background, Services
from edgeworker.kv.memory import MemoryStore
from edgeworker.messages import URL, Headers, Request
from edgeworker.schema.diagnostics import Diagnostics
from edgeworker.schema.worker_fields import WorkerFields
from tests.edge.making import Server, is_down
from wrangler_compat.document import ConfigFile

RECORDED: Final = json.loads((Path(__file__).parent / "cases" / "assets.json").read_text())["sites"]
SHOWN: Final = ("location", "content-type", "cache-control", "cf-cache-status", "allow")

NOBODY: Final = Server(is_down)
SERVICES: Final = Services(
    clock=SystemClock(), background=Background(), internet=NOBODY, origin_at=lambda _base: NOBODY
)

SCRIPT: Final = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "x-binding" in request.headers:
            return await self.env.ASSETS.fetch(request, redirect="manual")
        return Response(f"worker {request.method}", headers={"content-type": "text/plain;charset=UTF-8"})
"""


@pytest.mark.parametrize("recorded", RECORDED, ids=[recorded["site"]["name"] for recorded in RECORDED])
async def test_assets_answer_as_those_of_cloudflare(recorded: dict[str, JSON], tmp_path: Path) -> None:
    site, answers = recorded["site"], recorded["answers"]
    assert isinstance(site, dict)
    edge = await build(config_of(site, tmp_path), SERVICES, MemoryStore())
    try:
        wrong = await asked_of_an_edge(edge, answers)
    finally:
        await edge.close()

    assert wrong == []


async def asked_of_an_edge(edge: Edge, answers: JSON) -> list[tuple[JSON, JSON]]:
    """What was answered otherwise than recorded: (ours, theirs)."""
    assert isinstance(answers, list)
    etag = ""
    wrong: list[tuple[JSON, JSON]] = []
    for answer in answers:
        assert isinstance(answer, dict)
        # Asked behind the door, which refuses or rewrites some of these paths before any worker sees them.
        request = _request(answer["request"], etag)
        response = await edge.workers["w"].run(request, NOBODY)
        ours: JSON = {
            "request": answer["request"],
            "status": response.status,
            "headers": {name: value for name, value in response.headers.entries() if _is_shown(name)},
            "tagged": "etag" in response.headers,
            "body": "" if response.body is None else (await response.body.read()).decode(),
        }
        theirs: JSON = {**answer, "headers": _shown(answer["headers"])}
        if ours != theirs:
            wrong.append((ours, theirs))
        etag = response.headers.get("etag") or etag
    return wrong


def config_of(site: dict[str, JSON], folder: Path) -> Config:
    files, settings, flags = site["files"], site["assets"], site["flags"]
    assert isinstance(files, dict)
    assert isinstance(settings, dict)
    assert isinstance(flags, list)
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        file = folder / "site" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(content))
    diagnostics = Diagnostics()
    written = ConfigFile(folder / "wrangler.toml", "wrangler.toml", {}, {})
    fields = WorkerFields("w", {"assets": {"directory": "site", **settings}}, {}, written, diagnostics)
    assets = parse_assets(fields, date=str(site["date"]), flags=[str(flag) for flag in flags])
    assert assets is not None
    assert diagnostics.messages == []
    main = folder / "worker.py"
    main.write_text(SCRIPT)
    worker = (
        Worker("w", main, (AssetsBinding("ASSETS"),), assets=assets)
        if site["script"]
        else Worker("w", None, assets=assets)
    )
    return Config(workers=(worker,), default_worker="w", default_on_every_host=True)


def _request(written: JSON, etag: str) -> Request:
    path, options = written if isinstance(written, list) else (written, {})
    assert isinstance(options, dict)
    given = options.get("headers", {})
    assert isinstance(given, dict)
    headers = Headers({name: str(value).replace("{etag}", etag) for name, value in given.items()})
    if options.get("binding"):
        headers.set("x-binding", "1")
    return Request(str(options.get("method", "GET")), URL.parse(f"http://example.com{path}"), headers)


def _is_shown(name: str) -> bool:
    return name in SHOWN or name.startswith("x-")


def _shown(headers: JSON) -> JSON:
    assert isinstance(headers, dict)
    return {name: value for name, value in headers.items() if _is_shown(name)}
