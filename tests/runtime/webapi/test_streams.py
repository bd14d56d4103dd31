"""Streams of scripts. Source: https://streams.spec.whatwg.org/"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from edgeworker.messages import Body
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.streams import FixedLengthStream, ReadableStream, TransformStream, stream_from
from tests.runtime.stage import Stage, evaluated

UPPER = "t = js.TransformStream.new({'transform': lambda chunk, c: c.enqueue(chunk.to_bytes().upper())})\n"
MADE = "made = getattr(js.ReadableStream, 'from')([b'a', b'b'])\n"

RULES = [
    # (statement, expression, what it gives)
    ("w = js.TransformStream.new().writable.getWriter()", "await w.ready, await w.ready", "(None, None)"),
    (
        "t = js.TransformStream.new(); w = t.writable.getWriter(); w.write(b'a'); w.write(b'b'); w.close()",
        "await Response(t.readable).text()",
        "ab",
    ),
    (MADE, "[chunk async for chunk in made]", "[b'a', b'b']"),
    (
        MADE + "r = made.getReader(); await r.read()",
        "made.locked, (await r.read()).value, (await r.read()).done",
        "(True, b'b', True)",
    ),
    (
        MADE + "r = made.getReader()",
        "made.getReader()",
        "JsException: TypeError: This ReadableStream is currently locked",
    ),
    (MADE + "r = made.getReader(); r.releaseLock()", "made.locked", "False"),
    (MADE + "one, two = made.tee()", "await Response(one).text(), await Response(two).text()", "('ab', 'ab')"),
    ("one, two = request.body.tee()", "await Response(one).text() == await Response(two).text()", "True"),
    (UPPER, "await Response(request.body.pipeThrough(t)).text()", '{"NAME": "X", "N": [{"A": 1}]}'),
    ("t = js.IdentityTransformStream.new()", "(await Response(request.body.pipeThrough(t)).text())[:4]", '{"na'),
    (
        "seen = []\nw = js.WritableStream.new({'write': seen.append, 'close': lambda: seen.append('end')})\n"
        + MADE
        + "await made.pipeTo(w)",
        "seen",
        "[b'a', b'b', 'end']",
    ),
    (
        "w = js.WritableStream.new(); w.getWriter()",
        "w.getWriter()",
        "JsException: TypeError: This WritableStream is currently locked",
    ),
    ("w = js.WritableStream.new(); w.getWriter().releaseLock()", "w.locked", "False"),
    (
        "seen = []\nw = js.WritableStream.new({'abort': seen.append}).getWriter()\nawait w.abort('why')",
        "seen",
        "['why']",
    ),
    (
        "def start(c):\n    c.enqueue(b'x'); c.close()",
        "await Response(js.ReadableStream.new(start=start)).text()",
        "x",
    ),
    (
        "class Source:\n    async def pull(self, c):\n        c.enqueue(b'y'); c.close()",
        "await Response(js.ReadableStream.new(Source())).text()",
        "y",
    ),
    (
        "def pull(c):\n    c.error('broken')",
        "await Response(js.ReadableStream.new(pull=pull)).text()",
        "JsException: Error: broken",
    ),
    ("", "await Response(js.ReadableStream.new()).text()", "JsException: TypeError: The stream was not closed"),
    (
        "def start(c):\n    c.close(); c.enqueue(b'x')",
        "await Response(js.ReadableStream.new(start=start)).text()",
        "JsException: TypeError: The stream is closed",
    ),
    (
        "seen = []\ns = js.ReadableStream.new(pull=lambda c: c.enqueue(b'x'), cancel=seen.append)\n"
        "r = s.getReader(); await r.read(); await r.cancel('enough')",
        "seen, (await r.read()).done",
        "(['enough'], True)",
    ),
    ("s = request.body; await s.cancel()", "request.body_used", "True"),
    ("await request.text()", "Response(request.body)", "JsException: TypeError: This ReadableStream is disturbed"),
    (
        "s = getattr(js.ReadableStream, 'from')(['text'])",
        "await Response(s).text()",
        "JsException: TypeError: A body's stream is made of bytes, and one chunk is str.",
    ),
    (
        "getattr(js.ReadableStream, 'from')(5)",
        "1",
        "JsException: TypeError: ReadableStream.from() takes something iterable, not int",
    ),
    (
        "t = js.TransformStream.new()\nw = t.writable.getWriter()\n"
        "async def write():\n    await w.write(b'a'); await w.abort('gone')\n"
        "task = asyncio.ensure_future(write())",
        "await Response(t.readable).text()",
        "JsException: Error: gone",
    ),
    (
        "t = js.TransformStream.new({'flush': lambda c: c.enqueue(b'!')})\n" + MADE,
        "await Response(made.pipeThrough(t)).text()",
        "ab!",
    ),
    (
        "s = js.ReadableStream.new(pull=lambda c: c.error('lost')); t = js.TransformStream.new()",
        "await Response(s.pipeThrough(t)).text()",
        "JsException: Error: lost",
    ),
    (
        "c = js.AbortController.new(); t = js.TransformStream.new()\n"
        "s = js.ReadableStream.new(pull=lambda c: asyncio.sleep(0))\n"
        "r = s.pipeThrough(t, signal=c.signal); c.abort('enough')",
        "await Response(r).text()",
        "JsException: Error: enough",
    ),
    (MADE + "t = js.TransformStream.new(); made.pipeTo(t.writable)", "await Response(t.readable).text()", "ab"),
]


@pytest.mark.parametrize(("statement", "expression", "gives"), RULES)
async def test_a_stream_does_what_the_standard_says(stage: Stage, statement: str, expression: str, gives: str) -> None:
    assert (await evaluated(stage, statement, expression)).startswith(gives)


async def test_a_slow_reader_slows_the_writer() -> None:
    stream = TransformStream()
    writer = stream.writable.getWriter()
    written: list[int] = []

    async def write() -> None:
        for number in range(10):
            await writer.write(b"%d" % number)
            written.append(number)
        await writer.close()

    task = asyncio.ensure_future(write())
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(written) <= 2

    content = stream.readable.extract_body().body
    assert content is not None
    assert await content.read() == b"0123456789"
    await task


async def test_a_writer_learns_that_no_one_reads_any_more() -> None:
    stream = TransformStream()
    writer = stream.writable.getWriter()

    async def write() -> None:
        while True:
            await writer.write(b"x")

    task = asyncio.ensure_future(write())
    body = stream.readable.extract_body().body
    assert body is not None
    assert await anext(body.stream()) == b"x"
    await body.close()

    with pytest.raises(JsException, match="was cancelled"):
        await task


async def test_a_promised_length_becomes_the_bodys_length() -> None:
    body = FixedLengthStream(3).readable.extract_body().body
    assert body is not None
    assert body.length == 3
    await body.close()


async def test_the_view_of_a_body_reads_nothing_until_it_is_read() -> None:
    pulled: list[int] = []

    async def pieces() -> AsyncIterator[bytes]:
        pulled.append(1)
        yield b"x"

    body = Body(pieces())
    stream = ReadableStream.of_body(body, None)

    assert stream.extract_body().body is body
    assert stream_from(stream) is stream
    assert pulled == []
    await body.close()
