"""Reads multipart/form-data as workerd does, to the letter of its errors. Pure.

Recorded from workerd: tests/conformance/cases/formdata.json. The library `multipart` takes and refuses other bodies,
see DECISIONS.md.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from edgeworker.runtime.webapi.base import type_error

_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
# A line that begins with a space or a tab continues the one before; workerd makes spaces of the line end.
_CONTINUED: Final = re.compile(rb"(?:\r\n?|\n)(?=[ \t])")
_FIELD_END: Final = re.compile(rb"\r\n?|\n")
_LINE_END: Final = re.compile(rb"\r?\n")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z\x80-\xff-]+)[ \t]*:[ \t]*([^\x00]*)")
_KIND: Final = re.compile(rb"[ \t]*([A-Za-z0-9_-]+)")
# What is written in another way ends the list of parameters without an error.
_PARAMETER: Final = re.compile(rb'[ \t]*;[ \t]*([A-Za-z0-9_-]+)[ \t]*=[ \t]*"((?:[^"\\\r\n]|\\.)+)"', re.DOTALL)
# https://mimesniff.spec.whatwg.org/#parsing-a-mime-type
_MIME_PARAMETER: Final = re.compile(r';[ \t\r\n]*([^;=]+)=(?:"((?:[^"\\]|\\.)*)"?[^;]*|([^;]*))', re.DOTALL)
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FormPart:
    """`filename` None: the part is a text. `content_type` is "" where the part has none."""

    name: str
    filename: str | None
    content_type: str
    content: bytes


def boundary_of(content_type: str) -> bytes:
    """Raises JsException (TypeError) where there is none."""
    for parameter in _MIME_PARAMETER.finditer(content_type):
        name, quoted, plain = parameter.groups(default="")
        value = re.sub(r"\\(.)", r"\1", quoted) if parameter[2] is not None else plain.rstrip(" \t\r\n")
        if name.lower() == "boundary" and (value or parameter[2] is not None):
            return value.encode()
    raise type_error(
        "No boundary string in Content-Type header. The multipart/form-data MIME type requires a boundary parameter, "
        "e.g. 'Content-Type: multipart/form-data; boundary=\"abcd\"'. See RFC 7578, section 4."
    )


def read_form(body: bytes, boundary: bytes) -> Iterator[FormPart]:
    """The parts in their order. Raises JsException (TypeError) with workerd's text."""
    delimiter = b"\n--" + boundary
    found = body.find(delimiter[1:])  # before the first one there need not be a line end
    if found < 0 or found + len(delimiter) - 1 == len(body):
        raise type_error("No initial boundary string (or you have a truncated message).")
    at = found + len(delimiter) - 1
    while not body.startswith(b"--", at):
        line_end = _LINE_END.match(body, at)
        if line_end is None:
            raise type_error("Boundary string was not succeeded by CRLF, LF, or '--'.")
        head_end = _HEAD_END.search(body, line_end.end())
        if head_end is None:
            raise type_error("No multipart message header termination found.")
        name, filename, content_type = _read_head(body[line_end.end() : head_end.start()])
        end = body.find(delimiter, head_end.end())
        if end < 0 or end + len(delimiter) == len(body):
            raise type_error("No subsequent boundary string after multipart message.")
        yield FormPart(name, filename, content_type, body[head_end.end() : end].removesuffix(b"\r"))
        at = end + len(delimiter)


def _read_head(head: bytes) -> tuple[str, str | None, str]:
    """Name, filename and type."""
    fields: dict[bytes, list[bytes]] = {}
    for line in _FIELD_END.split(_CONTINUED.sub(lambda end: b" " * len(end[0]), head)):
        field = _FIELD.fullmatch(line)
        if field is None:
            raise type_error("FormData part had invalid headers.")
        fields.setdefault(field[1].lower(), []).append(field[2])
    disposition = b", ".join(fields.get(b"content-disposition", ()))
    if not disposition:
        raise type_error("No valid Content-Disposition header found in FormData part.")
    parameters = _read_disposition(disposition)
    if b"name" not in parameters:
        raise type_error("Content-Disposition header in FormData part is missing a name.")
    filename = parameters.get(b"filename")
    return (
        _text(parameters[b"name"]),
        None if filename is None else _text(filename),
        _text(b", ".join(fields.get(b"content-type", ()))),
    )


def _read_disposition(value: bytes) -> dict[bytes, bytes]:
    kind = _KIND.match(value)
    if kind is None:
        raise type_error("Invalid Content-Disposition header found in FormData part.")
    if kind[1] != b"form-data":
        raise type_error(
            'Content-Disposition header for FormData part must have the value "form-data", possibly followed by '
            f'parameters. Got: "{_text(kind[1])}"'
        )
    found: dict[bytes, bytes] = {}
    at = kind.end()
    while (parameter := _PARAMETER.match(value, at)) is not None:
        found[parameter[1]] = _ESCAPED.sub(rb"\1", parameter[2])
        at = parameter.end()
    return found


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
