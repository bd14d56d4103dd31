"""`TextEncoder`, `TextDecoder`, `atob`, `btoa` and the URI functions."""

import base64
import binascii
import codecs
import re
from typing import Final
from urllib.parse import quote, unquote

from edgeworker.runtime.webapi.base import JsObject, is_absent, options, range_error, type_error
from edgeworker.runtime.webapi.buffers import Uint8Array, to_bytes
from edgeworker.runtime.webapi.ffi import JsException

_WHITESPACE: Final = re.compile(r"[\t\n\f\r ]")
_STRAY_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_RESERVED: Final = re.compile(r"%(?:3B|2F|3F|3A|40|26|3D|2B|24|2C|23)", re.IGNORECASE)
_LABELS: Final = {"utf8": "utf-8", "unicode-1-1-utf-8": "utf-8", "latin1": "windows-1252", "ascii": "windows-1252"}
_CODECS: Final = {"utf-8": "utf-8", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "windows-1252": "cp1252"}


class TextEncoder(JsObject):
    encoding = "utf-8"

    def encode(self, text: object = "") -> Uint8Array:
        return Uint8Array(str(text).encode("utf-8", "replace"))


class TextDecoder(JsObject):
    """`TextDecoder.new("utf-8", {"fatal": True, "ignoreBOM": True})`."""

    def __init__(self, label: object = "utf-8", init: object = None, /, **keywords: object) -> None:
        given = options(init, keywords)
        name = str(label).strip().lower()
        self.encoding = _LABELS.get(name, name)
        if self.encoding not in _CODECS:
            raise range_error(
                f"{label!r} is not an encoding that TextDecoder supports here; use one of {', '.join(_CODECS)}"
            )
        self.fatal = bool(given.get("fatal"))
        self.ignoreBOM = bool(given.get("ignoreBOM"))
        self._decoder: codecs.IncrementalDecoder | None = None
        self._begun = False

    def decode(self, source: object = b"", init: object = None, /, **keywords: object) -> str:
        """With `{"stream": True}` a character may be continued in the next piece."""
        content = b"" if is_absent(source) else to_bytes(source)
        more = bool(options(init, keywords).get("stream"))
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder(_CODECS[self.encoding])("strict" if self.fatal else "replace")
            self._begun = False
        try:
            text = self._decoder.decode(content, final=not more)
        except UnicodeDecodeError:
            self._decoder = None
            raise type_error("Failed to decode input.") from None
        if not more:
            self._decoder = None
        if text and not self._begun:
            self._begun = True
            text = text if self.ignoreBOM else text.removeprefix("\ufeff")
        return text


def btoa(text: object) -> str:
    try:
        return base64.b64encode(str(text).encode("latin-1")).decode("ascii")
    except UnicodeEncodeError:
        raise _invalid_character(
            "btoa() can only operate on characters in the Latin1 (ISO/IEC 8859-1) range."
        ) from None


def atob(text: object) -> str:
    """Padding may be missing, as in the standard; other faults are an InvalidCharacterError."""
    plain = _WHITESPACE.sub("", str(text))
    if len(plain) % 4 == 0:
        plain = plain.removesuffix("=").removesuffix("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode("latin-1")
    except binascii.Error:
        raise _invalid_character("atob() called with invalid base64-encoded data.") from None


def encodeURIComponent(text: object) -> str:
    return quote(str(text), safe="!'()*-._~")


def encodeURI(text: object) -> str:
    return quote(str(text), safe="!'()*-._~;/?:@&=+$,#")


def decodeURIComponent(text: object) -> str:
    """Raises JsException (URIError) for what is not UTF-8."""
    given = str(text)
    try:
        if _STRAY_PERCENT.search(given):
            raise ValueError
        return unquote(given, errors="strict")
    except ValueError:
        raise JsException("URIError", "URI malformed") from None


def decodeURI(text: object) -> str:
    """What separates the parts of an URL stays encoded."""
    kept = _RESERVED.sub(lambda found: found[0].replace("%", "%25"), str(text))
    return decodeURIComponent(kept)


def _invalid_character(text: str) -> JsException:
    return JsException("InvalidCharacterError", text)
