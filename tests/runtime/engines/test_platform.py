"""What scripts find of the platform, in both engines and in any time zone: the answers are workerd's (2026-07-30)."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.runtime.engines.stage import staged

ENGINES: Final = [pytest.param("workerd", marks=pytest.mark.node), "embedded"]
EVAL: Final = "EvalError: Code generation from strings disallowed for this context"

ANSWERS: Final[dict[str, object]] = {
    # Dates are in UTC.
    "[new Date(2024, 6, 1).toISOString(), new Date(2024, 6, 1).getTimezoneOffset()]": ["2024-07-01T00:00:00.000Z", 0],
    "['2024-01-05', '2024-01-05T10:00', '2024-01-05 10:00', 'Jan 5, 2024', '1/5/2024 10:00 PM', "
    "'Fri Jan 05 2024 10:00:00 GMT-0500 (EST)'].map((text) => new Date(text).toISOString().slice(0, 16))": [
        "2024-01-05T00:00",
        "2024-01-05T10:00",
        "2024-01-05T10:00",
        "2024-01-05T00:00",
        "2024-01-05T22:00",
        "2024-01-05T15:00",
    ],
    "String(new Date(0))": "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)",
    "[new Date(null).getTime(), new Date(true).getTime(), new Date(new Date(7)).getTime()]": [0, 1, 7],
    "(() => { const d = new Date(0); d.setHours(23); d.setMonth(1, 3); return [d.toJSON(), d.getHours(), d.getDay()] "
    "})()": [
        "1970-02-03T23:00:00.000Z",
        23,
        2,
    ],
    "new (class extends Date { hours() { return this.getHours() } })(2024, 0, 1, 5).hours()": 5,
    # Names in English.
    "['DE', 'GB', '419', 'ZZ'].map((code) => new Intl.DisplayNames(['en'], { type: 'region' }).of(code))": [
        "Germany",
        "United Kingdom",
        "Latin America",
        "Unknown Region",
    ],
    "['fr-CA', 'de-XX', 'zh-Hant-HK', 'xx'].map((one) => new Intl.DisplayNames('en', { type: 'language' }).of(one))": [
        "Canadian French",
        "German (XX)",
        "Chinese (Traditional, Hong Kong)",
        "xx",
    ],
    "new Intl.DisplayNames('en', { type: 'currency' }).of('EUR')": "Euro",
    "new Intl.DisplayNames('en', { type: 'region' }).of('DEU')": "RangeError: invalid_argument",
    "new Intl.DisplayNames('en')": "TypeError: invalid_argument",
    "Intl.supportedValuesOf('currency').includes('EUR')": True,
    "Intl.supportedValuesOf('x')": "RangeError: Invalid key : x",
    # Code is not made of texts.
    "eval('1')": EVAL,
    "Function('return 1')": EVAL,
    "new Function('return 1')": EVAL,
    "(async () => 1).constructor('return 1')": EVAL,
    "[(() => 1).constructor === Function, (() => 1) instanceof Function, Function.name, atLoad]": [
        True,
        True,
        "Function",
        3,
    ],
    # V8's.
    "typeof new (class extends Error { constructor() { super(); Error.captureStackTrace(this) } })().stack": "string",
    "Array.fromAsync([Promise.resolve(1), 2], (value) => value + 1)": [2, 3],
    # Streams of digests.
    "(async () => { const digest = new crypto.DigestStream('MD5'); await new Response('abc').body.pipeTo(digest); "
    "return [new Uint8Array(await digest.digest)[0], Number(digest.bytesWritten)] })()": [144, 3],
    "new crypto.DigestStream('nope')": "NotSupportedError: Unrecognized or unimplemented digest algorithm requested.",
    # Events of the global scope.
    "new Promise((resolve) => { addEventListener('error', (event) => resolve([event.message, String(event.error)]), "
    "{ once: true }); reportError(new RangeError('no')) })": ["Uncaught RangeError: no", "RangeError: no"],
    "new Promise((resolve) => { addEventListener('error', (event) => resolve(event.message), { once: true }); "
    "queueMicrotask(() => { throw new Error('in a microtask') }) })": "Uncaught Error: in a microtask",
    "[dispatchEvent(new Event('none')), navigator.language]": [True, "en"],
    "setTimeout('1')": "TypeError: Failed to execute 'setTimeout' on 'ServiceWorkerGlobalScope': "
    "parameter 1 is not of type 'function'.",
    "[new URLPattern({ pathname: '/a/:id(\\\\d+)' }).exec('http://x.test/a/5?q').pathname.groups.id, "
    "new URLPattern('https://*.test/*').test('https://shop.test/x'), new URLPattern({ pathname: '/b' }).test('/a', "
    "'http://x.test')]": ["5", True, False],
    # As deep as parsers of nested data go.
    "(() => { const deep = (n) => (n === 0 ? 0 : 1 + deep(n - 1)); return deep(3000) })()": 3000,
}


@pytest.fixture
def _in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_in_new_york")
@pytest.mark.parametrize("engine", ENGINES)
async def test_both_engines_answer_alike(engine: str, tmp_path: Path) -> None:
    works = ",\n".join(f"async () => {expression}" for expression in ANSWERS)
    source = f"""const atLoad = {"new Function('return 3')()" if engine == "embedded" else "3"};
    const works = [{works}];
    export default {{ async fetch() {{
      const answers = [];
      for (const work of works) {{
        try {{ answers.push(await work()); }} catch (error) {{ answers.push(String(error)); }}
      }}
      return Response.json(answers);
    }} }}"""

    async with staged(engine, tmp_path, source) as stage:
        answers = json.loads(await stage.text("/"))

    assert dict(zip(ANSWERS, answers, strict=True)) == ANSWERS


@pytest.mark.parametrize(
    "use",
    [
        "WebAssembly.instantiate(new Uint8Array(8))",
        "new WebAssembly.Module(new Uint8Array(8))",
    ],
)
async def test_what_the_embedded_engine_lacks_is_named(use: str, tmp_path: Path) -> None:
    from edgeworker.runtime.contract.javascript import JavaScriptException

    source = f"export default {{ async fetch() {{ return new Response(String(await {use})) }} }}"

    async with staged("embedded", tmp_path, source) as stage:
        with pytest.raises(JavaScriptException, match=r"has no WebAssembly; run the worker in workerd"):
            await stage.get("/")


async def test_code_that_asks_for_webassembly_and_has_another_way_takes_it_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = """const way = typeof WebAssembly === "object" ? "wasm" : "plain";
    export default { fetch: () => new Response(`${way} ${typeof WebAssembly}`) }"""

    async with staged("embedded", tmp_path, source) as stage:
        assert await stage.text("/") == "plain undefined"

    warnings = [record.getMessage() for record in caplog.records if "WebAssembly" in record.getMessage()]
    assert len(warnings) == 1
    assert "run it in workerd" in warnings[0]
