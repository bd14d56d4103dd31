"""Durable Objects, which workerd has by itself."""

import json
from pathlib import Path
from typing import Final

import pytest

from edgeworker.errors import ScriptError
from edgeworker.runtime.contract.javascript import EnvDurableObjects
from edgeworker.runtime.workerd.capnp import DurableObjectClass
from edgeworker.runtime.workerd.durable_objects import check_scripts, find_classes
from tests.runtime.engines.stage import staged

SOURCE: Final = """import { DurableObject } from "cloudflare:workers";
export class Room extends DurableObject {
  async fetch(request) {
    const visits = ((await this.ctx.storage.get("visits")) ?? 0) + 1;
    await this.ctx.storage.put("visits", visits);
    const outside = await (await fetch("https://outside.test/from-object")).text();
    return Response.json({ visits, outside, mark: request.headers.get("ew-invocation"), body: await request.text() });
  }
  async add(number) {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS numbers (n)");
    this.ctx.storage.sql.exec("INSERT INTO numbers VALUES (?)", number);
    const outside = await (await fetch("https://outside.test/from-rpc")).text();
    return { sum: this.ctx.storage.sql.exec("SELECT sum(n) AS s FROM numbers").one().s, outside };
  }
  async ring() {
    await this.ctx.storage.setAlarm(Date.now() + 10);
    while (!(await this.ctx.storage.get("rang"))) await new Promise((resolve) => setTimeout(resolve, 10));
    return "rang";
  }
  async alarm() { await this.ctx.storage.put("rang", true); }
}
export default { async fetch(request, env) {
  const { pathname } = new URL(request.url);
  const room = env.ROOMS.get(env.ROOMS.idFromName("lobby"));
  try {
    if (pathname === "/fetch") return await room.fetch("https://room/", { method: "POST", body: "hello" });
    if (pathname === "/add") return Response.json([await room.add(2), await room.add(40)]);
    if (pathname === "/ring") return Response.json(await room.ring());
    if (pathname === "/constructor") return Response.json(await room.constructor("x"));
    return Response.json(await room.missing());
  } catch (error) {
    return Response.json(String(error));
  }
} };
"""


@pytest.mark.node
async def test_objects_keep_state_have_alarms_and_fetch_by_the_invocation_that_calls_them(tmp_path: Path) -> None:
    async with staged("workerd", tmp_path, SOURCE, {"ROOMS": EnvDurableObjects("Room", None, True)}) as stage:
        answers = {path: json.loads(await stage.text(path)) for path in ("/fetch", "/add", "/ring", "/missing")}
        again = json.loads(await stage.text("/fetch"))
        constructor = json.loads(await stage.text("/constructor"))

    assert answers["/fetch"] == {
        "visits": 1,
        "outside": "GET https://outside.test/from-object ",
        "mark": None,
        "body": "hello",
    }
    assert again["visits"] == 2
    assert answers["/add"] == [
        {"sum": 2, "outside": "GET https://outside.test/from-rpc "},
        {"sum": 42, "outside": "GET https://outside.test/from-rpc "},
    ]
    assert answers["/ring"] == "rang"
    assert answers["/missing"] == 'TypeError: The RPC receiver does not implement the method "missing".'
    assert "does not implement" in constructor


@pytest.mark.node
async def test_a_class_that_is_not_exported_is_named(tmp_path: Path) -> None:
    source = "export default { fetch: () => new Response() }"

    with pytest.raises(ScriptError, match="Hall"):
        async with staged("workerd", tmp_path, source, {"HALLS": EnvDurableObjects("Hall", None, False)}):
            pass


async def test_in_the_embedded_engine_using_one_throws(tmp_path: Path) -> None:
    source = """export default { async fetch(request, env) {
      try { env.ROOMS.idFromName("x"); } catch (error) { return new Response(error.message); }
    } }"""

    async with staged("embedded", tmp_path, source, {"ROOMS": EnvDurableObjects("Room", None, True)}) as stage:
        assert "Durable Object" in await stage.text("/")


def test_the_worker_that_exports_a_class_says_how_it_stores() -> None:
    envs = {
        "front": {"ROOMS": EnvDurableObjects("Room", "back", True)},
        "back": {"OWN": EnvDurableObjects("Room", None, False)},
    }

    assert find_classes("back", envs) == [DurableObjectClass("Room", "back-Room", False)]
    assert find_classes("front", envs) == []
    check_scripts(envs)
    with pytest.raises(ScriptError, match='names the script "back", which is not a JavaScript worker'):
        check_scripts({"front": envs["front"]})
