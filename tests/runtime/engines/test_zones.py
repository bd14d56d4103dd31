"""Where fetch() of a JavaScript worker goes, in both engines: behind its own zone's routes, to others as a whole."""

from pathlib import Path
from typing import Final

import pytest

from edgeworker.messages import URL, Headers, Request, Response
from edgeworker.testing import Edge
from tests.npm_tools import node_tools
from tests.runtime.engines.stage import staged

ENGINES: Final = [pytest.param("workerd", marks=pytest.mark.node), "embedded"]
SHOP: Final = """export default { async fetch(request) {
  const { searchParams } = new URL(request.url);
  const answer = await fetch(searchParams.get("to"));
  return new Response(`${answer.status} ${await answer.text()}`);
} }
"""
OTHER: Final = """export default { fetch(request) {
  return new Response(`other ${request.url} ${request.headers.get("cf-worker")}`);
} }
"""


def wrangler(name: str, zone: str) -> str:
    route = f'routes = [{{ pattern = "{zone}/*", zone_name = "{zone}" }}]'
    return f'name = "{name}"\nmain = "index.js"\ncompatibility_date = "2026-07-01"\n{route}\n'


@pytest.mark.parametrize("engine", ENGINES)
def test_a_subrequest_obeys_the_zones(engine: str, tmp_path: Path) -> None:
    if engine == "workerd":
        (tmp_path / "node_modules").symlink_to(node_tools() / "node_modules")
    else:
        pytest.importorskip("quickjs")
    for name, zone, source in (("shop", "example.com", SHOP), ("other", "other.test", OTHER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.js").write_text(source)
        (tmp_path / name / "wrangler.toml").write_text(wrangler(name, zone))
    (tmp_path / "edge.toml").write_text(f'[javascript]\nengine = "{engine}"\n')

    with Edge([tmp_path / "edge.toml", *(tmp_path / name / "wrangler.toml" for name in ("shop", "other"))]) as edge:
        edge.origin.on("/behind", body="the origin", status=404)

        assert edge.get("https://example.com/?to=https://example.com/behind").text == "404 the origin"
        other = edge.get("https://example.com/?to=https://other.test/x").text
        assert other == "200 other https://other.test/x example.com"


@pytest.mark.parametrize("engine", ENGINES)
async def test_bytes_of_a_field_that_are_not_utf_8_are_replaced_as_in_workerd(engine: str, tmp_path: Path) -> None:
    class Origin:
        async def fetch(self, request: Request, /) -> Response:
            return Response(200, Headers.from_raw([(b"X-Origin", b"a\xe9\xff")]))

    source = """export default { async fetch(request) {
      const codes = (value) => [...value].map((character) => character.codePointAt(0));
      const answer = await fetch("http://origin.test/");
      return Response.json([codes(request.headers.get("x-a")), codes(answer.headers.get("x-origin"))]);
    } }"""
    request = Request("GET", URL.parse("http://x.test/"), Headers.from_raw([(b"X-A", b"a\xe9b\xc3\xa9")]))

    async with staged(engine, tmp_path, source) as stage:
        response = await stage.send(request, Origin())
        assert response.body is not None
        assert await response.body.read() == b"[[97,65533,98,233],[97,65533,65533]]"
