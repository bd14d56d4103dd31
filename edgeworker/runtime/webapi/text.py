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
# By name, Python's codecs. Source of names and labels: https://encoding.spec.whatwg.org/#names-and-labels
_CODECS: Final = {
    **{"utf-8": "utf-8", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "windows-874": "cp874"},
    **{f"windows-{number}": f"cp{number}" for number in range(1250, 1259)},
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{"koi8-r": "koi8-r", "koi8-u": "koi8-u", "ibm866": "cp866", "macintosh": "mac-roman"},
    **{"x-mac-cyrillic": "mac-cyrillic", "shift_jis": "cp932", "euc-jp": "euc-jp", "iso-2022-jp": "iso2022-jp"},
    **{"gbk": "gb18030", "gb18030": "gb18030", "big5": "big5hkscs", "euc-kr": "cp949"},
}
_OTHER_LABELS: Final = {
    "utf-8": ("utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8"),
    "utf-16le": ("utf-16", "ucs-2", "unicode", "csunicode", "iso-10646-ucs-2", "unicodefeff"),
    "utf-16be": ("unicodefffe",),
    "windows-1252": ("latin1", "l1", "ascii", "us-ascii", "iso-8859-1", "iso8859-1", "iso_8859-1", "ansi_x3.4-1968"),
    "windows-1254": ("latin5", "l5", "iso-8859-9", "iso8859-9", "iso_8859-9"),
    "windows-874": ("tis-620", "iso-8859-11", "iso8859-11"),
    "iso-8859-2": ("latin2", "l2"),
    "iso-8859-5": ("cyrillic",),
    "iso-8859-7": ("greek", "greek8"),
    "iso-8859-15": ("l9",),
    "koi8-r": ("koi", "koi8", "koi8_r"),
    "koi8-u": ("koi8-ru",),
    "ibm866": ("866", "cp866"),
    "macintosh": ("mac", "x-mac-roman"),
    "shift_jis": ("sjis", "shift-jis", "ms_kanji", "ms932", "windows-31j", "x-sjis", "csshiftjis"),
    "euc-jp": ("x-euc-jp",),
    "gbk": ("gb2312", "gb_2312", "gb_2312-80", "chinese", "csgb2312", "x-gbk"),
    "big5": ("big5-hkscs", "cn-big5", "x-x-big5", "csbig5"),
    "euc-kr": ("korean", "ksc5601", "ks_c_5601-1987", "windows-949", "cseuckr"),
}
_LABELS: Final = {
    **{label: name for name, labels in _OTHER_LABELS.items() for label in labels},
    **{f"cp{number}": f"windows-{number}" for number in range(1250, 1259)},
    **{f"x-cp{number}": f"windows-{number}" for number in range(1250, 1259)},
    **{name.replace("iso-", spelling): name for name in _CODECS for spelling in ("iso", "iso_") if "iso-8859" in name},
}


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
                f"{label!r} is not an encoding that TextDecoder supports here; use one such as utf-8, utf-16le, "
                "windows-1252, shift_jis or gbk"
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
