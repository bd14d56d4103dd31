"""Content-Encoding: what a script reads is decoded, and what it writes under such a header is encoded.

The Workers runtime does both for gzip and Brotli, named exactly "gzip" or "br"; under every other value the bytes are
left alone. Recorded from workerd in tests/conformance/cases/web_api.json.
Source: https://developers.cloudflare.com/workers/runtime-apis/response/#the-encodebody-option
"""

import zlib
from collections.abc import AsyncIterator
from typing import Final

from edgeworker.messages import Headers
from edgeworker.runtime.webapi.ffi import JsException

_GZIP: Final = 31  # zlib's window bits for gzip
_CODINGS: Final = frozenset({"gzip", "br"})
_PIECE_BYTES: Final = 1024 * 1024
_BROTLI_LIMIT_BYTES: Final = _PIECE_BYTES // 2  # the library stops at the first of its blocks beyond the limit
_BROTLI_QUALITY: Final = 5  # as nginx and CDNs use it for what is made at request time


def find_coding(headers: Headers) -> str | None:
    """The coding of the body that the runtime knows, or None."""
    declared = headers.get("content-encoding")
    return declared if declared in _CODINGS else None


def decode(pieces: AsyncIterator[bytes], coding: str | None) -> AsyncIterator[bytes]:
    """The pieces raise JsException (TypeError) where the bytes are not in that coding, or end too early."""
    match coding:
        case "gzip":
            return _decode_gzip(pieces)
        case "br":
            return _decode_brotli(pieces)
        case _:
            return pieces


def encode(pieces: AsyncIterator[bytes], coding: str | None) -> AsyncIterator[bytes]:
    match coding:
        case "gzip":
            return _encode_gzip(pieces)
        case "br":
            return _encode_brotli(pieces)
        case _:
            return pieces


async def _decode_gzip(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    inflate = zlib.decompressobj(_GZIP)
    try:
        async for piece in pieces:
            rest = piece
            while rest:
                if inflate.eof:  # several members may follow each other: RFC 1952, section 2.2
                    inflate = zlib.decompressobj(_GZIP)
                # A piece may hold a thousand times its size.
                content = inflate.decompress(rest, _PIECE_BYTES)
                rest = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
                if content:
                    yield content
    except zlib.error as error:
        raise JsException("TypeError", "Gzip decompression failed.") from error
    if not inflate.eof:
        raise JsException("TypeError", "Gzip compressed stream ended prematurely.")


async def _decode_brotli(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    import brotli

    decompressor = brotli.Decompressor()
    try:
        async for piece in pieces:
            content = decompressor.process(piece, output_buffer_limit=_BROTLI_LIMIT_BYTES)
            while content or not decompressor.can_accept_more_data():
                yield content
                content = decompressor.process(b"", output_buffer_limit=_BROTLI_LIMIT_BYTES)
    except brotli.error as error:
        raise JsException("TypeError", "Brotli decompression failed.") from error
    if not decompressor.is_finished():
        raise JsException("TypeError", "Brotli compressed stream ended prematurely.")


async def _encode_gzip(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    deflate = zlib.compressobj(wbits=_GZIP)
    async for piece in pieces:
        if content := deflate.compress(piece):
            yield content
    yield deflate.flush()


async def _encode_brotli(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    import brotli

    compressor = brotli.Compressor(quality=_BROTLI_QUALITY)
    async for piece in pieces:
        if content := compressor.process(piece):
            yield content
    yield compressor.finish()
