"""JavaScript workers that cannot be loaded, compute for ever or take too much memory, in both engines."""

import re
from pathlib import Path

import pytest

from edgeworker.errors import ScriptError
from edgeworker.messages import URL, Request
from edgeworker.runtime.contract.isolate import ExceededLimits
from tests.runtime.engines.stage import staged

pytestmark = pytest.mark.parametrize("engine", [pytest.param("workerd", marks=pytest.mark.node), "embedded"])


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "export default { fetch() {\n  let x: = 1 } }",
            r"""worker "shop": SyntaxError: (Unexpected token ':'|expecting ';')\n +at worker\.js:2:""",
        ),
        ("export const a = 1", "the worker has no event handlers"),
        ("export const a = 1; export default {}", "Incorrect type for map entry 'a'"),
        ('throw new Error("at load")', "Error: at load"),
        ("export default { fetch() { return nope( } }", "SyntaxError"),
    ],
)
async def test_a_script_that_cannot_be_loaded_is_told_with_its_place(
    engine: str, tmp_path: Path, source: str, text: str
) -> None:
    with pytest.raises(ScriptError) as told:
        async with staged(engine, tmp_path, source):
            pass

    assert re.search(text, str(told.value))


async def test_a_script_that_computes_for_too_long_is_ended_and_the_next_request_is_answered(
    engine: str, tmp_path: Path
) -> None:
    source = """export default { fetch(request) {
      if (request.url.endsWith("/loop")) for (;;);
      return new Response("alive");
    } }"""

    async with staged(engine, tmp_path, source, cpu_ms=1000) as stage:
        with pytest.raises(ExceededLimits, match=r"computed for more than 1 s \(limits.cpu_ms\)"):
            await stage.get("/loop")

        assert await stage.text("/") == "alive"


async def test_a_script_that_takes_too_much_memory_is_ended_and_the_next_request_is_answered(
    engine: str, tmp_path: Path
) -> None:
    source = """const kept = [];
    export default { fetch(request) {
      if (request.url.endsWith("/grow")) for (;;) kept.push(new Array(100_000).fill(Math.random()));
      return new Response("alive");
    } }"""

    async with staged(engine, tmp_path, source) as stage:
        with pytest.raises(ExceededLimits, match="more memory than an isolate may have"):
            await stage.get("/grow")

        assert await stage.text("/") == "alive"
        assert await stage.text("/") == "alive"


async def test_an_entrypoint_that_no_binding_names_is_told(engine: str, tmp_path: Path) -> None:
    async with staged(engine, tmp_path, "export default { fetch: () => new Response() }") as stage:
        with pytest.raises(ScriptError, match=r'worker "shop" has no entrypoint "Admin"; it exports: default'):
            await stage.send(Request("GET", URL.parse("http://x.test/")), entrypoint="Admin")
