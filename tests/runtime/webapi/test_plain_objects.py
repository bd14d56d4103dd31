"""Objects of JavaScript where a script is held to production; see tests/conformance/test_objects.py too."""

import pytest

from edgeworker.bindings import KVBinding
from tests.runtime.stage import SDK, Stage

WRAPPED = 'js.JSON.parse(\'{"a": {"b": [1, {"c": 2}]}, "n": null}\')'


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        (f"{WRAPPED}.a.b[1].c", "2"),
        (f"{WRAPPED}.to_py()['a']['b'][1]['c']", "2"),
        (f"type({WRAPPED}.to_py()['a']) is dict", "True"),
        (f"sorted({WRAPPED}.as_object_map())", "['a', 'n']"),
        (f"{WRAPPED}.as_object_map().to_py()['a']", "{'b': [1, {'c': 2}]}"),
        (f"js.JSON.stringify({WRAPPED})", '{"a":{"b":[1,{"c":2}]},"n":null}'),
        (f"js.structuredClone({WRAPPED}).a.b[0]", "1"),
        (f"list(js.Object.keys({WRAPPED}))", "['a', 'n']"),
        (f"js.Object.assign(js.Object.new(x=1), {WRAPPED}).a.b[0]", "1"),
        (f"{WRAPPED}.hasOwnProperty('a'), {WRAPPED}.hasOwnProperty('q')", "(True, False)"),
        (f"js.Response.json({WRAPPED}).headers.get('content-type')", "application/json"),
        (f"await Response.json({WRAPPED}).text()", '{"a":{"b":[1,{"c":2}]},"n":null}'),
        (f"python_from_rpc({WRAPPED})", "{'a': {'b': [1, {'c': 2}]}, 'n': None}"),
        ("python_to_rpc({'a': 1}).a", "1"),
        ("js.Response.new('x', js.Object.fromEntries([['status', 201]])).status", "201"),
        ("js.Response.new('x', {'status': 201}).status", "201"),
        ("request.cf.colo == request.js_object.cf.colo", "True"),
        ("(await js.Promise.allSettled([1]))[0].status", "fulfilled"),
        ("(await js.Response.new('x').body.getReader().read()).done", "False"),
        ("(await js.crypto.subtle.exportKey('jwk', await js.crypto.subtle.importKey('raw', b'0' * 16, "
         "js.Object.new(name='HMAC', hash=js.Object.new(name='SHA-256')), True, ['sign']))).kty", "oct"),
        ("await self.env.KV.put('k', 'v', js.Object.new(metadata=js.Object.new(a=1))), "
         "(await self.env.KV.getWithMetadata('k')).metadata['a']", "(None, 1)"),
    ],
)  # fmt: skip
async def test_an_object_is_taken_and_read_as_in_production(stage: Stage, expression: str, gives: str) -> None:
    stage.add(
        f"{SDK}\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        value = {expression}\n"
        "        return Response(value if isinstance(value, str) else repr(value))\n",
        KVBinding("KV", "kv"),
        date="2026-08-01",
    )

    assert (await stage.get(cf={"colo": "AMS"})).text == gives


@pytest.mark.parametrize(
    "expression",
    [
        "js.JSON.parse('{\"a\":' * 900 + '1' + '}' * 900)",
        "js.JSON.parse('[' * 900 + ']' * 900)",
        "js.JSON.stringify(ring())",
    ],
)
@pytest.mark.parametrize("date", [None, "2026-08-01"])
async def test_what_is_nested_too_deeply_is_javascripts_error(stage: Stage, expression: str, date: str | None) -> None:
    stage.add(
        f"{SDK}\nfrom pyodide.ffi import JsException\n"
        "def ring():\n    made = js.Object.new()\n    made.itself = made\n    return made\n"
        "class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        try:\n"
        f"            {expression}\n        except JsException as error:\n            return Response(str(error))\n"
        "        return Response('deep enough')\n",
        date=date,
    )

    assert (await stage.get()).text in ("deep enough", "RangeError: Maximum call stack size exceeded")
