"""Storage that fails under a script of any language is one line of the log; a mistake of its own has a traceback."""

import logging
from pathlib import Path

import pytest

from edgeworker.bindings import KVBinding
from edgeworker.config import Config, Worker
from edgeworker.javascript.settings import JavaScriptSettings
from edgeworker.testing.faults import FaultInjection
from edgeworker.testing.local import LocalEdge
from tests.runtime.engines.stage import workerd

# At /own the script fails by itself, after it met the same failure.
PYTHON = """\
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/own"):
            try:
                await self.env.NS.get("k")
            except Exception:
                pass
            raise ValueError("a mistake of the script")
        if request.url.endswith("/waits"):
            self.ctx.waitUntil(self.env.NS.put("k", "v"))
            return Response("now")
        return Response(await self.env.NS.get("k"))
"""
JAVASCRIPT = """\
export default {
  async fetch(request, env, ctx) {
    if (request.url.endsWith("/own")) {
      try { await env.NS.get("k"); } catch {}
      throw new TypeError("a mistake of the script");
    }
    if (request.url.endsWith("/waits")) {
      ctx.waitUntil(env.NS.put("k", "v"));
      return new Response("now");
    }
    return new Response(await env.NS.get("k"));
  },
};
"""
LANGUAGES = ["python", "embedded", pytest.param("workerd", marks=pytest.mark.node)]
CAUSE = "KV failed on purpose: call 1"


def _edge(folder: Path, language: str) -> LocalEdge:
    if language == "embedded":
        pytest.importorskip("quickjs", reason="quickjs-bindings has wheels for CPython 3.11 and 3.13")
    main = folder / ("w.py" if language == "python" else "w.js")
    main.write_text(PYTHON if language == "python" else JAVASCRIPT)
    javascript = JavaScriptSettings(
        engine="workerd" if language == "workerd" else "embedded",
        workerd=workerd().program if language == "workerd" else None,
    )
    worker = Worker("w", main, (KVBinding("NS", "ns"),), compatibility_date="2026-07-01")
    config = Config(workers=(worker,), default_worker="w", javascript=javascript)
    return LocalEdge(config, faults=FaultInjection(kv_failures=1.0))


def _errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_request_that_meets_it_is_one_line_with_the_cause(
    language: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with _edge(tmp_path, language) as edge:
        answer = edge.get("http://localhost/a?secret=1")

    assert answer.status == 500
    lines = _errors(caplog)
    assert not [line for line in lines if "\n" in line]
    assert CAUSE in lines[0]
    if language == "workerd":  # its requests to KV do not tell whose they are
        (told,) = lines[1:]
        assert told.startswith('worker "w": uncaught exception (GET http://localhost/a): Error: KV GET failed: 503')
    else:
        assert lines == [f'worker "w": KV GET failed: {CAUSE} (get), seed 0. (GET http://localhost/a)']


@pytest.mark.parametrize("language", LANGUAGES)
def test_work_that_waits_for_it_after_the_answer_shows_no_traceback(
    language: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with _edge(tmp_path, language) as edge:
        assert edge.get("http://localhost/waits").status == 200

    assert CAUSE in _errors(caplog)[0]
    assert not [line for line in _errors(caplog) if "\n" in line]
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mistake_of_the_script_shows_its_place_also_where_storage_failed_before(
    language: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with _edge(tmp_path, language) as edge:
        assert edge.get("http://localhost/own").status == 500

    (line,) = [line for line in _errors(caplog) if "uncaught exception" in line]
    assert "a mistake of the script" in line
    assert ("w.py" if language == "python" else "w.js") in line.partition("\n")[2]
