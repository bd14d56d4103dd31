"""Rejections that nothing handles, over both engines; the events as workerd 2026-07-30 gave them."""

import asyncio
import ctypes
import json
import logging
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.runtime.engines.stage import staged

_LOST = """
  (async () => { await null; throw new TypeError("lost"); })();
  Promise.reject("a text");
  const soon = Promise.reject(new Error("handled soon"));
  await null;
  soon.catch(() => {});
  await new Promise((go) => setTimeout(go, 1));
"""


@pytest.fixture(params=["embedded", pytest.param("workerd", marks=pytest.mark.node)])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def _wait_for(count: int, caplog: pytest.LogCaptureFixture) -> list[str]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = [record.getMessage() for record in caplog.records if "(in promise)" in record.getMessage()]
            if len(found) >= count:
                return sorted(found)
            await asyncio.sleep(0.01)


async def test_each_is_logged_with_its_place(engine: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = f"export default {{ async fetch() {{ {_LOST} return new Response('answered'); }} }};"

    async with staged(engine, tmp_path, source) as stage:
        assert await stage.text("/") == "answered"
        logged = await _wait_for(2, caplog)

    text, error = sorted(logged, key=len)
    assert text == "shop: Uncaught (in promise) a text"
    assert error.startswith("shop: Uncaught (in promise) TypeError: lost\n")
    assert "worker.js:2:" in error
    assert "handled soon" not in "".join(logged)


@pytest.mark.parametrize("is_service_worker", [False, True], ids=["module", "service worker"])
async def test_listeners_get_events_and_may_prevent_the_line(
    engine: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, *, is_service_worker: bool
) -> None:
    handler = f"""async function handle() {{
      {_LOST}
      const late = Promise.reject(new Error("handled late"));
      await new Promise((go) => setTimeout(go, 1));
      late.catch(() => {{}});
      await new Promise((go) => setTimeout(go, 1));
      return Response.json(seen);
    }}"""
    source = f"""const seen = [];
    addEventListener("unhandledrejection", (event) => {{
      seen.push([event.type, event.constructor.name, String(event.reason), event.promise instanceof Promise]);
      event.preventDefault();
    }});
    addEventListener("rejectionhandled", (event) => seen.push([event.type, event.reason === undefined]));
    {handler}
    """
    source += (
        'addEventListener("fetch", (event) => event.respondWith(handle()));'
        if is_service_worker
        else "export default { fetch: handle };"
    )

    async with staged(engine, tmp_path, source) as stage:
        seen = json.loads(await stage.text("/"))

    assert sorted(seen) == [
        ["rejectionhandled", True],
        ["unhandledrejection", "PromiseRejectionEvent", "Error: handled late", True],
        ["unhandledrejection", "PromiseRejectionEvent", "TypeError: lost", True],
        ["unhandledrejection", "PromiseRejectionEvent", "a text", True],
    ]
    assert not [record for record in caplog.records if "(in promise)" in record.getMessage()]


async def test_no_script_makes_such_an_event(engine: str, tmp_path: Path) -> None:
    source = """export default { fetch() {
      try { return new Response(new PromiseRejectionEvent("x", {}).type); }
      catch (error) { return new Response(String(error)); }
    } };"""

    async with staged(engine, tmp_path, source) as stage:
        assert await stage.text("/") == "TypeError: Illegal constructor"


async def test_many_rejections_leave_the_embedded_engine_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = """export default { async fetch() {
      for (let at = 0; at < 5000; at++) Promise.reject(new Error("handled")).catch(() => {});
      for (let at = 0; at < 3000; at++) Promise.reject("lost");
      (function deep() { try { deep(); } catch (error) { Promise.reject(error); } })();
      return new Response("answered");
    } };"""
    caplog.set_level(logging.CRITICAL)

    for _ in range(3):
        async with staged("embedded", tmp_path, source) as stage:
            assert [await stage.text("/") for _ in range(3)] == ["answered"] * 3


async def test_without_the_functions_of_the_engine_a_listener_gets_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class _ExportsNothing:
        def __init__(self, _name: str) -> None: ...

    monkeypatch.setattr(ctypes, "PyDLL", _ExportsNothing)
    source = """addEventListener("unhandledrejection", () => {});
    export default { async fetch() { Promise.reject(1); return new Response("answered"); } };"""

    async with staged("embedded", tmp_path, source) as stage:
        assert await stage.text("/") == "answered"

    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "does not tell on this system which rejections nothing handles" in warning
    assert "workerd" in warning
