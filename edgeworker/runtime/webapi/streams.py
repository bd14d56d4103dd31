"""ReadableStream, WritableStream and TransformStream over async iterators. Source: https://streams.spec.whatwg.org/

A stream of a request or response is a view of the core's Body: nothing is read until the script reads, and a body that
is handed on is never touched.
"""

import inspect
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Mapping
from typing import Protocol, runtime_checkable

from edgeworker.handler import Context
from edgeworker.messages import Body, BodyUsed
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.webapi import encodings
from edgeworker.runtime.webapi.array_methods import JsArray
from edgeworker.runtime.webapi.arrays import make_array
from edgeworker.runtime.webapi.base import BodySource, BodyWithType, JsObject, is_absent, options, type_error
from edgeworker.runtime.webapi.buffers import Uint8Array, is_buffer, to_bytes
from edgeworker.runtime.webapi.ffi import JsDict
from edgeworker.runtime.webapi.piping import ChunkQueue, pipe
from edgeworker.runtime.webapi.plain_objects import PlainObject, make_object
from edgeworker.runtime.webapi.plain_proxy import fields_of
from edgeworker.runtime.webapi.tasks import Promise, start_promise
from edgeworker.runtime.webapi.thrown import as_exception

_LOCKED = "This ReadableStream is currently locked to a reader."
_USED = "This ReadableStream is disturbed (has already been read from), and cannot be used as a body."


@runtime_checkable
class _ClosableIterator(Protocol):
    async def aclose(self) -> None: ...


class ReadableStream(BodySource):
    """`ReadableStream.new({"start": f, "pull": f, "cancel": f})`, keyword arguments as well, or a message's `body`."""

    def __init__(self, source: object = None, _strategy: object = None, /, **handlers: object) -> None:
        self._body: Body | None = None
        self._encoding: str | None = None
        self._controller: _Controller | None = _Controller(_read_members(source) | handlers)
        self._chunks: AsyncIterator[object] | None = self._controller.chunks()
        self._locked = False

    @classmethod
    def of(cls, chunks: AsyncIterator[object]) -> "ReadableStream":
        stream = cls.__new__(cls)
        stream._body, stream._encoding, stream._controller = None, None, None
        stream._chunks, stream._locked = chunks, False
        return stream

    @classmethod
    def of_body(cls, body: Body, encoding: str | None) -> "ReadableStream":
        """`encoding` is the Content-Encoding that the body's bytes are in; a script reads them decoded."""
        stream = cls.of(_empty_chunks())
        stream._body, stream._encoding, stream._chunks = body, encoding, None
        return stream

    @property
    def locked(self) -> bool:
        return self._locked or (self._body is not None and self._body.used)

    def getReader(self, _options: object = None, **_keywords: object) -> "ReadableStreamDefaultReader":
        return ReadableStreamDefaultReader(self, self.take())

    def take(self) -> AsyncIterator[object]:
        """The chunks. Raises JsException (TypeError) if the stream is locked to another reader."""
        if self._locked:
            raise type_error(_LOCKED)
        self._locked = True
        if self._body is None:
            assert self._chunks is not None
            return self._chunks
        try:
            pieces = self._body.stream()
        except BodyUsed:
            raise type_error(_USED) from None
        return _as_arrays(encodings.decode(pieces, self._encoding))

    def extract_body(self) -> BodyWithType:
        if self.locked:
            raise type_error(_USED)
        if self._body is not None:
            self._body.one_time = True
            return BodyWithType(self._body, encoding=self._encoding)
        return BodyWithType(Body(_for_body(self.take(), current_invocation.current_or_none())))

    def release(self) -> None:
        self._locked = False

    async def cancel(self, reason: object = None) -> None:
        if self._body is not None:
            await self._body.close()
        elif self._controller is not None:
            await self._controller.cancel(reason)
        elif isinstance(self._chunks, _ClosableIterator):
            await self._chunks.aclose()

    def tee(self) -> JsArray:
        if self._body is not None and not self._locked:
            return make_array(ReadableStream.of_body(half, self._encoding) for half in self._body.tee())
        halves = Body(_for_body(self.take(), current_invocation.current_or_none())).tee()
        return make_array(ReadableStream.of_body(half, None) for half in halves)

    def pipeTo(self, destination: object, init: object = None, /, **keywords: object) -> Promise:
        if not isinstance(destination, WritableStream):
            raise type_error(
                "Failed to execute 'pipeTo' on 'ReadableStream': parameter 1 is not of type 'WritableStream'."
            )
        return start_promise(Promise(pipe(self, destination.getWriter(), options(init, keywords))))

    def pipeThrough(self, transform: "TransformStream", init: object = None, /, **keywords: object) -> "ReadableStream":
        context = current_invocation.current_or_none()
        if context is None:
            raise type_error("pipeThrough() works only while a handler runs")
        context.wait_until(pipe(self, transform.writable.getWriter(), options(init, keywords)))
        return transform.readable

    def values(self) -> AsyncIterator[object]:
        return self.take()

    def __aiter__(self) -> AsyncIterator[object]:
        return self.take()


class ReadableStreamDefaultReader(JsObject):
    """`getReader()` of a stream: `read()` answers an object with `value` and `done`."""

    def __init__(self, stream: ReadableStream, chunks: AsyncIterator[object]) -> None:
        self._stream = stream
        self._chunks = chunks

    async def read(self) -> JsDict | PlainObject:
        async for chunk in self._chunks:
            return make_object({"value": chunk, "done": False})
        return make_object({"value": None, "done": True})

    def releaseLock(self) -> None:
        self._stream.release()

    async def cancel(self, reason: object = None) -> None:
        await self._stream.cancel(reason)


class _Controller:
    """What `start` and `pull` of a script's source are given."""

    def __init__(self, source: Mapping[str, object]) -> None:
        self._source = source
        self._waiting: deque[object] = deque()
        self._closed = False
        self._error: object = None
        self.desiredSize = 1

    def enqueue(self, chunk: object) -> None:
        if self._closed:
            raise type_error("The stream is closed: nothing can be enqueued.")
        self._waiting.append(chunk)

    def close(self) -> None:
        self._closed = True

    def error(self, reason: object = None) -> None:
        self._closed, self._error = True, as_exception(reason)

    async def cancel(self, reason: object = None) -> None:
        self._closed = True
        self._waiting.clear()
        await self._call("cancel", reason)

    async def chunks(self) -> AsyncIterator[object]:
        await self._call("start", self)
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if isinstance(self._error, BaseException):
                raise self._error
            if self._closed:
                return
            if is_absent(self._source.get("pull")):
                raise type_error("The stream was not closed, and its source has no pull().")
            await self._call("pull", self)

    async def _call(self, name: str, argument: object) -> None:
        function = self._source.get(name)
        if callable(function) and inspect.isawaitable(result := function(argument)):
            await result


class WritableStream(JsObject):
    """`WritableStream.new({"write": f, "close": f, "abort": f})`, or the `writable` of a TransformStream."""

    def __init__(self, sink: object = None, _strategy: object = None, /, **handlers: object) -> None:
        self._sink = _read_members(sink) | handlers
        self.locked = False

    def getWriter(self) -> "WritableStreamDefaultWriter":
        if self.locked:
            raise type_error("This WritableStream is currently locked to a writer.")
        self.locked = True
        return WritableStreamDefaultWriter(self, self._sink)


class _Fulfilled:
    """A promise that is already fulfilled; it need not be awaited."""

    def __await__(self) -> Generator[object, None, None]:
        return
        yield  # makes it a generator


class WritableStreamDefaultWriter(JsObject):
    # `write` waits for room itself, so a writer is always ready.
    ready = _Fulfilled()

    def __init__(self, stream: WritableStream, sink: Mapping[str, object]) -> None:
        self._stream = stream
        self._sink = sink
        self._last: Promise | None = None
        self.desiredSize = 1

    def write(self, chunk: object = None) -> Promise:
        return self._begin("write", chunk)

    def close(self) -> Promise:
        return self._begin("close")

    def abort(self, reason: object = None) -> Promise:
        return self._begin("abort", reason)

    def releaseLock(self) -> None:
        self._stream.locked = False

    def _begin(self, name: str, *args: object) -> Promise:
        """One after another in the order of the calls, and also if no promise is ever awaited."""
        earlier = self._last
        self._last = promise = start_promise(Promise(self._call(earlier, name, *args)))
        return promise

    async def _call(self, earlier: Promise | None, name: str, *args: object) -> None:
        if earlier is not None and name != "abort":
            await earlier
        function = self._sink.get(name)
        if callable(function) and inspect.isawaitable(result := function(*args)):
            await result


class TransformStream(JsObject):
    """`readable` gives what is written to `writable`, through the `transform(chunk, controller)` of a transformer."""

    def __init__(self, transformer: object = None, *_strategies: object, **handlers: object) -> None:
        queue = ChunkQueue()
        members = _read_members(transformer) | handlers
        self.readable = ReadableStream.of(queue.chunks())
        self.writable = WritableStream(_through(queue, members))


class IdentityTransformStream(TransformStream):
    pass


class FixedLengthStream(TransformStream):
    """The length is a promise to the client: it becomes the Content-Length."""

    def __init__(self, length: int, *_strategies: object) -> None:
        super().__init__()
        self.readable = ReadableStream.of_body(Body(_for_body(self.readable.take(), None), length=int(length)), None)


def _through(queue: ChunkQueue, transformer: Mapping[str, object]) -> JsDict:
    transform, flush = transformer.get("transform"), transformer.get("flush")

    async def drain(controller: _Controller) -> None:
        while controller._waiting:
            await queue.write(controller._waiting.popleft())

    async def write(chunk: object) -> None:
        if not callable(transform):
            await queue.write(chunk)
            return
        controller = _Controller({})
        if inspect.isawaitable(result := transform(chunk, controller)):
            await result
        await drain(controller)

    async def close() -> None:
        if callable(flush):
            controller = _Controller({})
            if inspect.isawaitable(result := flush(controller)):
                await result
            await drain(controller)
        await queue.finish()

    async def abort(reason: object = None) -> None:
        await queue.finish(as_exception(reason))

    return JsDict(write=write, close=close, abort=abort)


def stream_from(source: object) -> ReadableStream:
    """`ReadableStream.from`: of an async iterable or an iterable. Raises JsException (TypeError) for anything else."""
    match source:
        case ReadableStream():
            return source
        case AsyncIterable():
            return ReadableStream.of(aiter(source))
        case Iterable():
            return ReadableStream.of(_from_iterable(source))
        case _:
            raise type_error(f"ReadableStream.from() takes something iterable, not {type(source).__name__}")


async def _from_iterable(source: Iterable[object]) -> AsyncIterator[object]:
    for chunk in source:
        yield chunk


async def _empty_chunks() -> AsyncIterator[object]:
    no_chunks: tuple[object, ...] = ()
    for chunk in no_chunks:
        yield chunk


async def _as_arrays(pieces: AsyncIterator[bytes]) -> AsyncIterator[object]:
    async for piece in pieces:
        yield Uint8Array(piece)


async def _for_body(chunks: AsyncIterator[object], context: Context | None) -> AsyncIterator[bytes]:
    """The chunks as bytes. The script's code that makes them runs within its own invocation, not the reader's."""
    try:
        while True:
            try:
                if context is None:
                    chunk = await anext(chunks)
                else:
                    with current_invocation.enter_invocation(context):
                        chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            if not is_buffer(chunk):
                raise type_error(f"A body's stream is made of bytes, and one chunk is {type(chunk).__name__}.")
            yield to_bytes(chunk)
    finally:
        if isinstance(chunks, _ClosableIterator):
            await chunks.aclose()


def _read_members(source: object) -> dict[str, object]:
    """The functions of an underlying source, sink or transformer: a dict, a JavaScript object, or any Python object."""
    if is_absent(source):
        return {}
    source = fields_of(source)
    if isinstance(source, Mapping):
        return {str(name): member for name, member in source.items()}
    names: tuple[str, ...] = ("start", "pull", "cancel", "write", "close", "abort", "transform", "flush")
    found: dict[str, Callable[..., object]] = {name: getattr(source, name) for name in names if hasattr(source, name)}
    return dict(found)


# The standard's name cannot be written as a method's.
for _name in ("from", "from_"):
    setattr(ReadableStream, _name, staticmethod(stream_from))
