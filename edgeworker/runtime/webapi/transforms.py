"""The TransformStreams that the platform brings: compression and texts. Source: https://compression.spec.whatwg.org/"""

import zlib
from collections.abc import Callable
from functools import partial
from typing import Final

from edgeworker.runtime.webapi.base import type_error
from edgeworker.runtime.webapi.buffers import Uint8Array, to_bytes
from edgeworker.runtime.webapi.streams import TransformStream
from edgeworker.runtime.webapi.text import TextDecoder

_WINDOWS: Final = {"gzip": 31, "deflate": 15, "deflate-raw": -15}
_PIECE_BYTES: Final = 1024 * 1024


class CompressionStream(TransformStream):
    """`CompressionStream.new("gzip")`; also "deflate" and "deflate-raw"."""

    def __init__(self, form: object) -> None:
        deflate = zlib.compressobj(wbits=_window(form))

        def transform(chunk: object, controller: object) -> None:
            _enqueue(controller, deflate.compress(to_bytes(chunk)))

        super().__init__(transform=transform, flush=lambda controller: _enqueue(controller, deflate.flush()))


class DecompressionStream(TransformStream):
    def __init__(self, form: object) -> None:
        inflate = zlib.decompressobj(wbits=_window(form))

        def transform(chunk: object, controller: object) -> None:
            rest = to_bytes(chunk)
            while rest:
                # A piece may hold a thousand times its size.
                _enqueue(controller, _failing(partial(inflate.decompress, rest, _PIECE_BYTES)))
                if inflate.eof and inflate.unused_data:
                    raise type_error("Trailing bytes after end of compressed data")
                rest = inflate.unconsumed_tail

        def flush(controller: object) -> None:
            _enqueue(controller, _failing(inflate.flush))
            if not inflate.eof:
                raise type_error("Called close() on a decompression stream with incomplete data")

        super().__init__(transform=transform, flush=flush)


class TextDecoderStream(TransformStream):
    """Bytes in, texts out."""

    def __init__(self, label: object = "utf-8", init: object = None, /, **options: object) -> None:
        decoder = TextDecoder(label, init, **options)
        self.encoding = decoder.encoding
        super().__init__(
            transform=lambda chunk, controller: _enqueue(controller, decoder.decode(chunk, stream=True)),
            flush=lambda controller: _enqueue(controller, decoder.decode()),
        )


class TextEncoderStream(TransformStream):
    """Texts in, bytes out."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__(
            transform=lambda chunk, controller: _enqueue(controller, str(chunk).encode("utf-8", "replace"))
        )


def _enqueue(controller: object, content: bytes | str) -> None:
    enqueue: Callable[[object], None] = getattr(controller, "enqueue")  # noqa: B009  # a controller of the stream
    if content:
        enqueue(Uint8Array(content) if isinstance(content, bytes) else content)


def _failing(work: Callable[[], bytes]) -> bytes:
    try:
        return work()
    except zlib.error as error:
        raise type_error(f"Decompression failed: {error}") from None


def _window(form: object) -> int:
    window = _WINDOWS.get(str(form))
    if window is None:
        raise type_error("The compression format must be either 'deflate', 'deflate-raw' or 'gzip'.")
    return window
