"""What a user gets wrong in a JavaScript project: told with file and line, and the version before keeps serving."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from edgeworker.runtime.contract.javascript import JavaScriptException
from tests.cli.running import dev
from tests.npm_tools import node_tools
from tests.patience import PATIENCE_SECONDS
from tests.runtime.engines.stage import staged

ENGINES: Final = [pytest.param("workerd", marks=pytest.mark.node), "embedded"]
FIRST: Final = "export default { fetch: () => new Response('first') };\n"


def project(folder: Path, engine: str) -> None:
    (folder / "wrangler.toml").write_text('name = "shop"\nmain = "src/index.js"\ncompatibility_date = "2026-07-01"\n')
    (folder / "src").mkdir()
    (folder / "src/index.js").write_text(FIRST)
    if engine == "workerd":
        (folder / "node_modules").symlink_to(node_tools() / "node_modules")
    else:
        pytest.importorskip("quickjs")


@pytest.mark.parametrize("engine", ENGINES)
def test_each_mistake_is_told_with_its_place_while_the_version_before_serves(engine: str, tmp_path: Path) -> None:
    project(tmp_path, engine)
    main = tmp_path / "src/index.js"
    mistakes = [
        ("export default {\n  fetch() { return ( } };\n", "index.js:2:"),
        ('import x from "./nope.js";\nexport default { fetch() {} };\n', "./nope.js"),
        ('\nimport x from "no-such-package";\nexport default { fetch() {} };\n', "no-such-package"),
        ("export const a = 1;\n", "the worker has no event handlers"),
        ("\n\nthrow new Error('at load');\nexport default {};\n", "Error: at load"),
    ]

    with dev("--js-engine", engine, cwd=tmp_path) as edge:
        for number, (source, told) in enumerate(mistakes):
            main.write_text(source)
            said = edge.wait_for("keeps serving")
            assert told in json.loads(said)["message"], said
            assert edge.get("localhost", "/").text == ("first" if number == 0 else f"number {number - 1}")
            main.write_text(f"export default {{ fetch: () => new Response('number {number}') }};\n")
            edge.wait_for("reloaded")
            assert edge.get("localhost", "/").text == f"number {number}"


@pytest.mark.node
def test_a_package_json_that_is_not_json_is_told_with_its_place(tmp_path: Path) -> None:
    project(tmp_path, "workerd")
    (tmp_path / "package.json").write_text('{\n  "name": nope\n}\n')

    with pytest.raises(AssertionError) as raised, dev(cwd=tmp_path):
        pass

    assert "package.json:2:" in str(raised.value)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("handler", "told"),
    [
        ("fetch() { throw 'text' }", "string: text"),
        ("fetch() { throw undefined }", "undefined: undefined"),
        ("fetch() { throw null }", "object: null"),
        ("fetch() { throw { get message() { throw 1 }, toString() { throw 2 } } }", "object: a value that has no text"),
        ("fetch() { return 'text' }", "the handler returned \\[object String\\] and not a Response"),
        ("fetch() { const f = () => f() + 1; return new Response(f()) }", "(call stack|stack overflow)"),
    ],
)
async def test_what_a_handler_does_wrong_is_an_exception_of_its_own(
    engine: str, tmp_path: Path, handler: str, told: str
) -> None:
    source = f"""const wrong = {{ {handler} }};
    export default {{ fetch(request) {{
      return request.url.endsWith("/ok") ? new Response("ok") : wrong.fetch();
    }} }}"""

    async with staged(engine, tmp_path, source) as stage:
        with pytest.raises(JavaScriptException, match=told):
            await stage.get("/")
        assert await stage.text("/ok") == "ok"


@pytest.mark.node
def test_no_child_outlives_an_edge_that_is_killed(tmp_path: Path) -> None:
    project(tmp_path, "workerd")

    with dev("--js-engine", "workerd", cwd=tmp_path) as edge:
        assert edge.get("localhost", "/").text == "first"
        children = Path(f"/proc/{edge.pid}/task/{edge.pid}/children").read_text().split()
        assert children
        os.kill(edge.pid, signal.SIGKILL)
        wait_until(lambda: not any(is_alive(int(child)) for child in children))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_worker_fetches_is_held_to_the_outbound_policy(engine: str, tmp_path: Path) -> None:
    project(tmp_path, engine)
    (tmp_path / "src/index.js").write_text(
        "export default { async fetch() {\n"
        '  try { await fetch("http://127.0.0.1:9/"); return new Response("reached"); }\n'
        "  catch (error) { return new Response(String(error)); }\n} };\n"
    )

    with dev("--js-engine", engine, cwd=tmp_path) as edge:
        assert "127.0.0.1" in edge.get("localhost", "/").text
        assert "allow_private" in edge.get("localhost", "/").text
