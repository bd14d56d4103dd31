"""What a realm calls of Python that concerns no request: text, URLs, hashes, random numbers, time."""

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import re
import secrets
import uuid
import zlib
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import unquote_to_bytes

import ada_url

from edgeworker.clock import Clock
from edgeworker.runtime.quickjs import node_ciphers, node_signing
from edgeworker.runtime.quickjs.adapter import HostFunction
from edgeworker.runtime.webapi import json_text
from edgeworker.runtime.webapi.blob import File
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.formdata import FormData
from edgeworker.runtime.webapi.text import TextDecoder

_URL_PARTS: Final = (
    *("href", "origin", "protocol", "username", "password", "host", "hostname", "port"),
    *("pathname", "search", "hash"),
)
_PUNYCODE: Final = "xn--"  # how a label begins that stands for others: RFC 5890, section 2.3.1
_WITH_DOMAIN: Final = frozenset({"http:", "https:", "ws:", "wss:", "ftp:", "file:"})
_WINDOW_BITS: Final = {"gzip": 31, "deflate": 15, "deflate-raw": -15}
_HASHES: Final = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"})
_MAX_CODECS: Final = 1000
_ASCII_WHITESPACE: Final = str.maketrans("", "", "\t\n\f\r ")
_MAX_RANDOM_BYTES: Final = 65_536
_ZONE_NAME: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


class Platform:
    """`tee` and `close_body` are of the bodies that the edge holds for the script."""

    def __init__(self, clock: Clock, tee: Callable[[int], tuple[int, int]], close_body: Callable[[int], None]) -> None:
        self._clock = clock
        self._tee = tee
        self._close_body = close_body
        self._codecs: dict[int, zlib._Compress | zlib._Decompress] = {}
        self._next_codec = 1

    def functions(self) -> dict[str, HostFunction]:
        """By the names that the modules of rt/ use."""
        return {
            "now": self._clock.now_ms,
            "zone": _find_zone_offset,
            "json_error": _json_error,
            "url": _parse_url,
            "url_set": _set_url_part,
            "form_decode": _decode_form,
            "form_parse": _parse_form,
            "encode": _encode_text,
            "decode": _decode_text,
            "encoding": _find_encoding,
            "breaks_line": _breaks_line,
            "btoa": _btoa,
            "atob": _atob,
            "random": _make_random_bytes,
            "uuid": lambda: str(uuid.uuid4()),
            "hash": _hash,
            "hmac": _hmac,
            "pem": node_signing.read_pem,
            "sign": node_signing.sign,
            "verify": node_signing.verify,
            "derive": lambda text, _: _catch_cipher_error(lambda: node_ciphers.derive(text)),
            "cipher": lambda text, content: _catch_cipher_error(lambda: node_ciphers.transform(text, content)),
            "tee": lambda id: json.dumps(self._tee(id)),
            "close_body": self._close_body,
            "codec": self._open_codec,
            "codec_write": self._write_codec,
            "codec_end": self._end_codec,
        }

    def _open_codec(self, direction: str, form: str) -> int:
        """Its number; 0 for a format that there is not."""
        bits = _WINDOW_BITS.get(form)
        if bits is None or len(self._codecs) >= _MAX_CODECS:
            return 0
        self._next_codec += 1
        self._codecs[self._next_codec] = (
            zlib.compressobj(wbits=bits) if direction == "compress" else zlib.decompressobj(bits)
        )
        return self._next_codec

    def _write_codec(self, id: int, content: bytes) -> bytes | None:
        codec = self._codecs.get(id)
        try:
            match codec:
                case None:
                    return None
                case _ if hasattr(codec, "compress"):
                    return codec.compress(content)
                case _:
                    return codec.decompress(content)
        except zlib.error:
            self._codecs.pop(id, None)
            return None

    def _end_codec(self, id: int, _rest: bytes) -> bytes | None:
        codec = self._codecs.pop(id, None)
        if codec is None:
            return None
        if not hasattr(codec, "compress") and not codec.eof:
            return None
        return codec.flush()


def _encode_text(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _breaks_line(text: str) -> bool:
    """Whether a text cannot be the value of a header."""
    return "\n" in text or "\r" in text or "\0" in text


def _decode_form(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ").encode("utf-8", "replace")).decode("utf-8", "replace")


def _find_encoding(label: str) -> str:
    """Its name; "" for one that there is not."""
    try:
        return str(TextDecoder.new(label).encoding)
    except JsException:
        return ""


def _make_random_bytes(size: int) -> bytes:
    if not 0 <= size <= _MAX_RANDOM_BYTES:
        raise ValueError(f"{size} random bytes are more than {_MAX_RANDOM_BYTES}")
    return secrets.token_bytes(size)


def _hash(name: str, content: bytes) -> bytes | None:
    return hashlib.new(name, content).digest() if name in _HASHES else None


def _hmac(name: str, key: bytes, content: bytes) -> bytes | None:
    return hmac.new(key, content, name).digest() if name in _HASHES else None


def _json_error(text: str) -> str:
    try:
        json_text.parse(text)
    except JsException as error:
        return error.message
    return ""


def _catch_cipher_error(work: Callable[[], bytes]) -> bytes | str:
    """What it makes, or why it cannot."""
    try:
        return work()
    except node_ciphers.CipherError as error:
        return str(error)


def _find_zone_offset(name: str, milliseconds: float) -> str | None:
    """[minutes east of UTC, whether summer time is on] as JSON; None for a zone that is not known here."""
    if _ZONE_NAME.fullmatch(name) is None:
        return None
    try:
        zone = zoneinfo.ZoneInfo(name)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
        offset, summer = zone.utcoffset(moment.astimezone(zone)), zone.dst(moment.astimezone(zone))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, OverflowError):
        return None
    return json.dumps([(offset or timedelta()).total_seconds() / 60, bool(summer)])


def _parse_url(text: str, base: str | None) -> str | None:
    """As the parser writes it; None for what is not a URL."""
    try:
        url = ada_url.URL(text) if base is None else ada_url.URL(text, base)
    except ValueError:
        return None
    href = str(url.href)
    return None if _PUNYCODE in href and _has_wrong_label(url) else href


def _has_wrong_label(url: ada_url.URL) -> bool:
    """Whether a label of its domain is not what ada's own IDNA would make, which its parser lets pass."""
    if str(url.protocol) not in _WITH_DOMAIN:
        return False
    return any(label.startswith(_PUNYCODE) for label in ada_url.idna.decode(str(url.hostname)).split("."))


def _set_url_part(href: str, part: str, value: str) -> str:
    if part not in _URL_PARTS:
        raise ValueError(f"{part} is not a part of a URL")
    url = ada_url.URL(href)
    with contextlib.suppress(ValueError):  # the standard's setters ignore what they cannot take
        setattr(url, part, value)
    changed = str(url.href)
    return href if _PUNYCODE in changed and _has_wrong_label(url) else changed


def _decode_text(encoding: str, fatal: bool, content: bytes) -> str | None:
    if encoding == "utf-8" and not fatal:
        return content.decode("utf-8", "replace")
    try:
        return TextDecoder.new(encoding, {"fatal": fatal, "ignoreBOM": True}).decode(content)
    except JsException:
        return None


def _btoa(text: str) -> str | None:
    try:
        return base64.b64encode(text.encode("latin-1")).decode()
    except UnicodeEncodeError:
        return None


def _atob(text: str) -> str | None:
    decoded = _decode_base64(text)
    return _decode_base64(text.translate(_ASCII_WHITESPACE)) if decoded is None else decoded


def _decode_base64(text: str) -> str | None:
    """None for what is not exactly base64, with padding or without."""
    if len(text) % 4 == 0:
        text = text.removesuffix("=").removesuffix("=") if text.endswith("=") else text
    if len(text) % 4 == 1 or "=" in text:
        return None
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return None


def _parse_form(content_type: str, content: bytes) -> str:
    try:
        form = FormData.parse(content, content_type)
    except JsException as error:
        return json.dumps({"error": {"name": error.name, "message": error.message}})
    fields: list[tuple[str, object]] = []
    for name, value in form.iterate():
        if isinstance(value, File):
            inner = {"$ew": "bytes", "value": base64.b64encode(value.content_bytes).decode()}
            fields.append((name, {"name": value.name, "type": value.type, "content": inner}))
        else:
            fields.append((name, value))
    return json.dumps({"value": fields})
