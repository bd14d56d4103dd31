"""What a realm asks of Python and is answered at once: text, URLs, hashes, random numbers, time."""

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
from edgeworker.runtime.quickjs.adapter import Crossing
from edgeworker.runtime.webapi import json_text
from edgeworker.runtime.webapi.blob import File
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.formdata import FormData
from edgeworker.runtime.webapi.text import TextDecoder

_URL_PARTS: Final = (
    *("href", "origin", "protocol", "username", "password", "host", "hostname", "port"),
    *("pathname", "search", "hash"),
)
_WINDOW_BITS: Final = {"gzip": 31, "deflate": 15, "deflate-raw": -15}
_HASHES: Final = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"})
_MAX_CODECS: Final = 1000
OPERATIONS: Final = frozenset(
    {"now", "zone", "json_error", "url", "url_set", "form_decode", "form_parse", "encode", "decode", "encoding"}
    | {"btoa", "atob", "random", "uuid", "hash", "hmac", "pem", "sign", "verify", "derive", "cipher"}
    | {"tee", "close_body", "codec", "codec_write", "codec_end"}
)
_ASCII_WHITESPACE: Final = str.maketrans("", "", "\t\n\f\r ")
_ZONE_NAME: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


class Platform:
    """`tee` and `close_body` are of the bodies that the edge holds for the script."""

    def __init__(self, clock: Clock, tee: Callable[[int], tuple[int, int]], close_body: Callable[[int], None]) -> None:
        self._clock = clock
        self._tee = tee
        self._close_body = close_body
        self._codecs: dict[int, zlib._Compress | zlib._Decompress] = {}
        self._next_codec = 1

    def call(self, operation: str, given: tuple[Crossing, ...]) -> Crossing:
        """Raises ValueError for what no script of ours asks."""
        match operation, given:
            # What most scripts ask comes first: the cases are tried in their order.
            case "now", _:
                return self._clock.now_ms()
            case "encode", (str(text),):
                return text.encode("utf-8", "replace")
            case "decode", (str(encoding), fatal, bytes(content)):
                return _decode_text(encoding, bool(fatal), content)
            case "btoa", (str(text),):
                return _btoa(text)
            case "atob", (str(text),):
                return _atob(text)
            case "hash", (str(name), bytes(content)):
                return hashlib.new(name, content).digest() if name in _HASHES else None
            case "zone", (str(name), int() | float() as milliseconds):
                return _find_zone_offset(name, milliseconds)
            case "json_error", (str(text),):
                return _json_error(text)
            case "url", (str(text), base):
                return _parse_url(text, base if isinstance(base, str) else None)
            case "url_set", (str(href), str(part), str(value)) if part in _URL_PARTS:
                return _set_url_part(href, part, value)
            case "form_decode", (str(text),):
                return unquote_to_bytes(text.replace("+", " ").encode("utf-8", "replace")).decode("utf-8", "replace")
            case "encoding", (str(label),):
                try:
                    return str(TextDecoder.new(label).encoding)
                except JsException:
                    return ""
            case "random", (int(size),) if 0 <= size <= 65_536:
                return secrets.token_bytes(size)
            case "uuid", _:
                return str(uuid.uuid4())
            case "hmac", (str(name), bytes(key), bytes(content)):
                return hmac.new(key, content, name).digest() if name in _HASHES else None
            case "pem", (str(kind), str(text)):
                return node_signing.read_pem(kind, text)
            case "sign", (str(name), str(pem), str(options), bytes(content)):
                return node_signing.sign(name, pem, options, content)
            case "verify", (str(name), str(pem), str(options), bytes(content), bytes(signature)):
                return node_signing.verify(name, pem, options, content, signature)
            case "derive", (str(text), _):
                return _catch_cipher_error(lambda: node_ciphers.derive(text))
            case "cipher", (str(text), bytes(content)):
                return _catch_cipher_error(lambda: node_ciphers.transform(text, content))
            case "form_parse", (str(content_type), bytes(content)):
                return _parse_form(content, content_type)
            case "tee", (int(id),):
                return json.dumps(self._tee(id))
            case "close_body", (int(id),):
                self._close_body(id)
                return None
            case "codec", (str(direction), str(form)):
                return self._open_codec(direction, form)
            case "codec_write", (int(id), bytes(content)):
                return self._write_codec(id, content)
            case "codec_end", (int(id), _):
                return self._end_codec(id)
            case _:
                raise ValueError(f"{operation} is not an operation of the engine")

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

    def _end_codec(self, id: int) -> bytes | None:
        codec = self._codecs.pop(id, None)
        if codec is None:
            return None
        if not hasattr(codec, "compress") and not codec.eof:
            return None
        return codec.flush()


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
    try:
        return _write_url(ada_url.URL(text) if base is None else ada_url.URL(text, base))
    except ValueError:
        return None


def _write_url(url: ada_url.URL) -> str:
    return json.dumps({part: str(getattr(url, part)) for part in _URL_PARTS})


def _set_url_part(href: str, part: str, value: str) -> str:
    url = ada_url.URL(href)
    with contextlib.suppress(ValueError):  # the standard's setters ignore what they cannot take
        setattr(url, part, value)
    return _write_url(url)


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
    cleaned = text.translate(_ASCII_WHITESPACE)
    if len(cleaned) % 4 == 0:
        cleaned = cleaned.removesuffix("=").removesuffix("=") if cleaned.endswith("=") else cleaned
    if len(cleaned) % 4 == 1 or "=" in cleaned:
        return None
    try:
        return base64.b64decode(cleaned + "=" * (-len(cleaned) % 4), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return None


def _parse_form(content: bytes, content_type: str) -> str:
    try:
        form = FormData.parse(content, content_type)
    except JsException as error:
        return json.dumps({"error": {"name": error.name, "message": error.message}})
    fields: list[tuple[str, object]] = []
    for name, value in form:
        if isinstance(value, File):
            inner = {"$ew": "bytes", "value": base64.b64encode(value.content_bytes).decode()}
            fields.append((name, {"name": value.name, "type": value.type, "content": inner}))
        else:
            fields.append((name, value))
    return json.dumps({"value": fields})
