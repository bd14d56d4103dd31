"""Cloudflare's asset workers in miniflare, asked of JavaScript workers with the same files in both engines."""

from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import pytest

from edgeworker.config import JSON
from edgeworker.edge import build
from edgeworker.javascript.settings import JavaScriptSettings
from edgeworker.kv.memory import MemoryStore
from tests.conformance.test_assets import RECORDED, SERVICES, asked_of_an_edge, config_of
from tests.runtime.engines.stage import workerd

SCRIPT: Final = """export default { fetch(request, env) {
  if (request.headers.has("x-binding")) return env.ASSETS.fetch(request);
  return new Response(`worker ${request.method}`);
} }
"""
SCRIPTED: Final = [recorded for recorded in RECORDED if recorded["site"]["script"]]


@pytest.mark.parametrize("engine", [pytest.param("workerd", marks=pytest.mark.node), "embedded"])
async def test_assets_answer_as_those_of_cloudflare(engine: Literal["workerd", "embedded"], tmp_path: Path) -> None:
    settings = JavaScriptSettings(engine, workerd=workerd().program if engine == "workerd" else None)
    if engine == "embedded":
        pytest.importorskip("quickjs")
    wrong: dict[str, list[tuple[JSON, JSON]]] = {}
    for recorded in SCRIPTED:
        name = str(recorded["site"]["name"])
        config = config_of(recorded["site"], tmp_path / name)
        main = tmp_path / name / "worker.js"
        main.write_text(SCRIPT)
        worker = replace(config.workers[0], main=main, compatibility_date="2026-07-01")
        edge = await build(replace(config, workers=(worker,), javascript=settings), SERVICES, MemoryStore())
        try:
            wrong[name] = await asked_of_an_edge(edge, recorded["answers"])
        finally:
            await edge.close()

    assert {name: found for name, found in wrong.items() if found} == {}
    assert len(wrong) > 5
