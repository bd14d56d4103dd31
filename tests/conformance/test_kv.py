"""What workerd answered to the calls of record_kv.mjs, asked of our KV as a script sees it, over each store.

cases/kv.json is recorded and never edited. Where we answer otherwise on purpose, DIFFERENCES has the reason.
"""

import base64
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import pytest

from edgeworker.bindings.kv.python_view import KVView
from edgeworker.config import JSON
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.streams import ReadableStream
from tests.kv.clocks import FakeClock
from tests.kv.stores import STORES

NOW: Final = 1_700_000_000

Style = Literal["keywords", "dict"]
Case = tuple[str, list[dict[str, JSON]]]


def _load() -> list[Case]:
    text = (Path(__file__).parent / "cases" / "kv.json").read_text()
    recorded = json.loads(text, parse_int=_number)
    return [(case["name"], case["steps"]) for case in recorded["cases"]]


def _number(text: str) -> int | float:
    """JavaScript writes a large double without an exponent."""
    return int(text) if abs(int(text)) < 2**53 else float(text)


CASES: Final = _load()

# (case, place of the call): what we answer, and why.
DIFFERENCES: Final[dict[tuple[str, int], tuple[JSON, str]]] = {
    ("many keys are text", 1): (
        {"$map": [["5", "v"], ["null", None], ["true", None]]},
        "workerd loses what looks like the index of an array from the answer, which its documentation does not mention",
    ),
    ("many keys with metadata and an empty value", 1): (
        {"$map": [["e", {"value": "", "metadata": 1}]]},
        "miniflare answers the value alone: it takes an empty text for a missing key; Cloudflare documents the object",
    ),
    ("many keys are text", 2): ({"$map": [["5", "v"]]}, "the same"),
}


@pytest.fixture(params=["memory", "sqlite"])
async def namespace(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[KVNamespace]:
    store: KVStore = STORES[request.param](tmp_path)
    yield KVNamespace(store, "ns", FakeClock(NOW))
    await store.close()


@pytest.mark.parametrize("style", ["keywords", "dict"])
@pytest.mark.parametrize(("name", "steps"), CASES, ids=[name for name, _ in CASES])
async def test_a_recorded_case_is_answered_as_workerd_does(
    namespace: KVNamespace, name: str, steps: list[dict[str, JSON]], style: Style
) -> None:
    view = KVView(namespace)
    cursor: object = None
    wrong: list[str] = []
    for place, step in enumerate(steps):
        method, *given = _sequence(step["call"])
        expected = {key: value for key, value in step.items() if key != "call"}
        if (name, place) in DIFFERENCES:
            expected = {"result": DIFFERENCES[name, place][0]}
        try:
            result = await _call(view, str(method), [_decoded(item, cursor) for item in given], style)
            answer = {"result": await _encoded(result)}
        except JsException as error:
            answer = {"error": _relative(str(error))}
        else:
            if isinstance(result, Mapping) and "cursor" in result:
                cursor = result["cursor"]
        if answer != expected:
            wrong.append(f"{step['call']}\n  workerd: {expected}\n  here:    {answer}")

    assert not wrong, "\n".join(wrong)


async def _call(view: KVView, method: str, arguments: list[object], style: Style) -> object:
    """Options are the last argument: as a dict, or as keywords."""
    keywords: dict[str, object] = {}
    place = {"get": 1, "getWithMetadata": 1, "put": 2, "list": 0}.get(method)
    if style == "keywords" and place is not None and len(arguments) == place + 1:
        options = arguments[place]
        if isinstance(options, dict):
            keywords = options
            arguments = arguments[:place]
    match method:
        case "get":
            return await view.get(*arguments, **keywords)
        case "getWithMetadata":
            return await view.getWithMetadata(*arguments, **keywords)
        case "put":
            await view.put(*arguments, **keywords)
            return None
        case "delete":
            await view.delete(*arguments)
            return None
        case "list":
            return await view.list(*arguments, **keywords)
        case _:
            raise AssertionError(method)


def _sequence(value: JSON) -> list[JSON]:
    assert isinstance(value, list)
    return value


def _decoded(value: JSON, cursor: object) -> object:
    match value:
        case {"$bytes": str(text)}:
            return base64.b64decode(text)
        case {"$stream": list(pieces)}:
            return _stream([base64.b64decode(str(piece)) for piece in pieces])
        case {"$repeat": [str(text), int(times)]}:
            return text * times
        case {"$now": int(seconds)}:
            return NOW + seconds
        case {"$number": str(text)}:
            return float(text.replace("Infinity", "inf"))
        case {"$undefined": True}:
            return None
        case {"$cursor": True}:
            return cursor
        case list():
            return [_decoded(item, cursor) for item in value]
        case dict():
            return {name: _decoded(item, cursor) for name, item in value.items()}
        case _:
            return value


async def _stream(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _encoded(value: object) -> JSON:
    match value:
        case memoryview():
            return {"$bytes": base64.b64encode(value).decode()}
        case ReadableStream():
            pieces = [bytes(piece) async for piece in value if isinstance(piece, bytes | bytearray)]
            return {"$stream": [base64.b64encode(b"".join(pieces)).decode()]}
        case str() if len(value) > 256 and value == value[0] * len(value):
            return {"$repeat": [value[0], len(value)]}
        case float() if abs(value) == float("inf"):
            return {"$number": "Infinity" if value > 0 else "-Infinity"}
        case bool() | None | str() | float():
            return value
        case int():
            return {"$now": value - NOW} if abs(value - NOW) < 1_000_000 else value
        case list():
            return [await _encoded(item) for item in value]
        case dict() if type(value) is dict:
            return {"$map": [[str(name), await _encoded(item)] for name, item in value.items()]}
        case dict():
            return {str(name): await _encoded(item) for name, item in value.items()}
        case _:
            raise AssertionError(f"a script was given {value!r}")


def _relative(text: str) -> str:
    def shorten(found: re.Match[str]) -> str:
        seconds = int(found[0]) - NOW
        return f"$now{seconds:+}" if abs(seconds) < 1_000_000 else found[0]

    return re.sub(r"\b\d{10}\b", shorten, text)
