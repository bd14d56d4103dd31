"""Content-Encoding: what a script reads is decoded, and what it writes under such a header is encoded.

The Workers runtime does both by itself; a body that is passed through stays as it is.
Source: https://developers.cloudflare.com/workers/runtime-apis/response/#the-encodebody-option
"""

import zlib
from collections.abc import AsyncIterator
from typing import Final

from edgeworker.runtime.webapi.ffi import JsException

_GZIP_OR_ZLIB: Final = 47  # zlib's window bits: 32 for "look at the header" and 15
_GZIP: Final = 31
_PIECE_BYTES: Final = 1024 * 1024
_ZLIB: Final = 15
_WRITTEN: Final = {"gzip": _GZIP, "deflate": _ZLIB}


def name(content_encoding: str | None) -> str | None:
    """The one coding that a field names, None for none. Several codings on one body are not undone: rare and risky."""
    coding = (content_encoding or "").strip().lower()
    return None if coding in ("", "identity") else "gzip" if coding == "x-gzip" else coding


def decoded(pieces: AsyncIterator[bytes], encoding: str | None) -> AsyncIterator[bytes]:
    """Raises JsException for a coding that cannot be decoded here (Brotli, zstd)."""
    if encoding is None:
        return pieces
    if encoding not in _WRITTEN:
        raise JsException("TypeError", f'a body with Content-Encoding "{encoding}" cannot be read here, only passed on')
    return _inflated(pieces)


def encoded(pieces: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes] | None:
    """The body in this coding, or None where we cannot write it."""
    window = _WRITTEN.get(encoding)
    return None if window is None else _deflated(pieces, window)


async def _inflated(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        async for piece in pieces:
            rest = piece
            while rest:
                # A piece may hold a thousand times its size.
                content = inflate.decompress(rest, _PIECE_BYTES)
                rest = inflate.unconsumed_tail
                if content:
                    yield content
        if content := inflate.flush():
            yield content
    except zlib.error as error:
        raise JsException("TypeError", f"the body is not what its Content-Encoding says: {error}") from error


async def _deflated(pieces: AsyncIterator[bytes], window: int) -> AsyncIterator[bytes]:
    deflate = zlib.compressobj(wbits=window)
    async for piece in pieces:
        if content := deflate.compress(piece):
            yield content
    yield deflate.flush()
