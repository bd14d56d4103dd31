"""From one stream to another. Source: https://streams.spec.whatwg.org/#readable-stream-pipe-to"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import suppress
from typing import Protocol

from edgeworker.runtime.webapi.abort import AbortSignal, run_unless_aborted
from edgeworker.runtime.webapi.base import type_error
from edgeworker.runtime.webapi.thrown import thrown_value


class ChunkQueue:
    """One chunk at a time from a writer to a reader, so that a slow reader slows the writer."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[bool, object]] = asyncio.Queue(1)
        self._given_up = False

    async def write(self, chunk: object) -> None:
        if self._given_up:
            raise type_error("The readable side of this stream was cancelled.")
        await self._queue.put((False, chunk))

    async def finish(self, error: BaseException | None = None) -> None:
        """After an error, what was not read yet is not given any more."""
        if not self._given_up:
            if error is not None:
                self._discard()
            await self._queue.put((True, error))

    async def chunks(self) -> AsyncIterator[object]:
        try:
            while True:
                last, chunk = await self._queue.get()
                if not last:
                    yield chunk
                elif isinstance(chunk, BaseException):
                    raise chunk
                else:
                    return
        finally:
            self._given_up = True
            # Release a writer that waits for room; its next write raises, because the reader is gone.
            self._discard()

    def _discard(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()


class ChunkSource(Protocol):
    def take(self) -> AsyncIterator[object]: ...

    def release(self) -> None: ...

    async def cancel(self, reason: object = None) -> None: ...


class ChunkWriter(Protocol):
    def write(self, chunk: object = None) -> Awaitable[object]: ...

    def close(self) -> Awaitable[object]: ...

    def abort(self, reason: object = None) -> Awaitable[object]: ...

    def releaseLock(self) -> None: ...


async def pipe(source: ChunkSource, writer: ChunkWriter, given: Mapping[str, object]) -> None:
    """Writes each chunk, then closes; where one side fails, the other one is told unless an option prevents it.

    Options: `signal`, `preventClose`, `preventAbort`, `preventCancel`. Raises what failed.
    """
    signal = _read_signal(given)
    chunks = source.take()
    is_writing = False

    async def next_chunk() -> tuple[object] | None:
        async for chunk in chunks:
            return (chunk,)
        return None

    async def write(chunk: object) -> None:
        await writer.write(chunk)

    try:
        while (found := await run_unless_aborted(next_chunk(), signal)) is not None:
            is_writing = True
            await run_unless_aborted(write(found[0]), signal)
            is_writing = False
        if not given.get("preventClose"):
            is_writing = True
            await writer.close()
    except BaseException as error:
        is_aborted = signal is not None and signal.aborted
        if (is_writing or is_aborted) and not given.get("preventCancel"):
            with suppress(Exception):
                await source.cancel(thrown_value(error))
        if (not is_writing or is_aborted) and not given.get("preventAbort"):
            with suppress(Exception):
                await writer.abort(thrown_value(error))
        raise
    finally:
        writer.releaseLock()
        source.release()


def _read_signal(given: Mapping[str, object]) -> AbortSignal | None:
    signal = given.get("signal")
    if signal is None:
        return None
    if not isinstance(signal, AbortSignal):
        raise type_error(
            "Incorrect type for the 'signal' field on 'PipeToOptions': the provided value is not of type 'AbortSignal'."
        )
    return signal
