"""`env` of `on_fetch`, which JavaScript gives without the SDK's conversions.

Source: workers/entrypoints.py and workers/rpc.py of workers-runtime-sdk 1.9.5
"""

import pytest

from edgeworker.bindings import KVBinding, ServiceBinding
from edgeworker.runtime.contract.isolate import Scheduled
from tests.runtime.stage import Stage

SCRIPT = """
import js
from pyodide.ffi import JsException, jsnull
from workers import Response, handler

HANDLER
async def on_fetch(request, env):
    await env.KV.put("k", '{"a": [1]}', {"metadata": {"m": 1}})
    try:
        value = EXPRESSION
    except (AttributeError, TypeError) as error:
        value = f"{type(error).__name__}: {error}"
    return Response(value if isinstance(value, str) else repr(value))
"""
OTHER = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(f"{request.method} {request.headers['x-a']}")

    async def describe(self):
        return {"tags": ["a"], "none": None}
"""
NOT_A_DICT = "TypeError: 'pyodide.ffi.JsProxy' object is not subscriptable"
# An expression, what it is without @handler, and with it.
ROWS = [
    ("await env.KV.get('k')", '{"a": [1]}', '{"a": [1]}'),
    ("await env.KV.get('k', 'json')", "[object Object]", "{'a': [1]}"),
    ("(await env.KV.get('k', 'json'))['a']", NOT_A_DICT, "[1]"),
    ("isinstance((await env.KV.get('k', type='json')).a, list)", "False", "True"),
    ("await env.KV.get('missing')", "jsnull", "None"),
    ("await env.KV.put('o', 'v')", "None", "None"),
    ("type(await env.KV.get('k', 'arrayBuffer')).__name__", "ArrayBuffer", "memoryview"),
    ("(await env.KV.getWithMetadata('k')).metadata.m", "1", "1"),
    ("(await env.KV.getWithMetadata('k'))['metadata']", NOT_A_DICT, "{'m': 1}"),
    ("(await env.KV.getWithMetadata('missing')).value", "jsnull", "None"),
    ("(await env.KV.get(['k', 'l'])).get('l')", "jsnull", "None"),
    ("[key.name for key in (await env.KV.list()).keys]", "['k']", "['k']"),
    ("(await env.KV.list()).keys[0]['name']", NOT_A_DICT, "k"),
    ("(await env.KV.list()).list_complete", "True", "True"),
    ("type(await env.OTHER.fetch('https://o.example/', headers=[['x-a', 'b']])).__name__", "Response", "Response"),
    ("hasattr(await env.OTHER.fetch('https://o.example/', headers=[['x-a', 'b']]), 'statusText')", "True", "False"),
    ("await (await env.OTHER.fetch('https://o.example/', headers=[['x-a', 'b']])).text()", "GET b", "GET b"),
    ("await (await env.OTHER.fetch('https://o.example/', "
     "js.Object.new(method='PUT', headers=js.Headers.new([['x-a', 'b']])))).text()", "PUT b", None),
    ("(await env.OTHER.describe()).tags[0]", "a", "a"),
    ("(await env.OTHER.describe())['tags']", NOT_A_DICT, "['a']"),
    ("(await env.OTHER.describe()).none", "jsnull", "None"),
    ("hasattr(env, 'NOT_THERE')", "False", "False"),
    ("sorted(js.Object.keys(env))", "['KV', 'OTHER']", "['KV', 'OTHER']"),
]  # fmt: skip


async def answer(stage: Stage, decorator: str, expression: str, *, lenient: bool = False) -> str:
    stage.add(OTHER, name="other", date="2025-08-01", flags=("python_workers",))
    stage.add(
        SCRIPT.replace("HANDLER", decorator).replace("EXPRESSION", expression),
        KVBinding("KV", "kv"),
        ServiceBinding("OTHER", "other"),
        date="2026-08-01",
        flags=("python_workers", "disable_python_no_global_handlers"),
        lenient=lenient,
    )
    return (await stage.get()).text


@pytest.mark.parametrize(("expression", "raw", "_converted"), ROWS)
async def test_a_function_gets_bindings_as_javascript_has_them(
    stage: Stage, expression: str, raw: str, _converted: str | None
) -> None:
    assert await answer(stage, "", expression) == raw


@pytest.mark.parametrize(("expression", "_raw", "converted"), ROWS)
async def test_handler_makes_them_convert(stage: Stage, expression: str, _raw: str, converted: str | None) -> None:
    if converted is not None:
        assert await answer(stage, "@handler", expression) == converted
    else:
        assert "Error" in await answer(stage, "@handler", expression)


async def test_a_lenient_edge_lets_a_function_use_dicts(stage: Stage) -> None:
    expression = "(await env.KV.get('k', 'json'))['a'], (await env.KV.list())['keys'][0]['name']"

    assert await answer(stage, "", expression, lenient=True) == "([1], 'k')"


async def test_a_cron_function_gets_the_same(stage: Stage) -> None:
    stage.add(
        """
        async def on_scheduled(controller, env, ctx):
            await env.KV.put("k", "{}")
            await env.KV.put("type", type(await env.KV.get("k", "json")).__name__)
        """,
        KVBinding("KV", "kv"),
        date="2025-08-01",
        flags=("python_workers",),
    )

    await stage.workers["w"].scheduled(Scheduled("* * * * *", 1_700_000_000_000), stage.origin)

    found = await stage.store.get("kv", "type", now=0)
    assert found is not None
    assert found.value == b"JsProxy"
