"""JavaScript's `FormData`, and the two encodings of forms.

Sources: https://xhr.spec.whatwg.org/#formdata, https://html.spec.whatwg.org/#multipart-form-data
"""

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import parse_qsl

from edgeworker.messages import Body, multipart
from edgeworker.runtime.webapi.base import (
    BodySource,
    BodyWithType,
    JsIterator,
    entries,
    is_absent,
    iterate_live,
    type_error,
)
from edgeworker.runtime.webapi.blob import Blob, File
from edgeworker.runtime.webapi.strings import to_usv_string

FormValue = str | File
_PARAMETER: Final = re.compile(rb';\s*([a-zA-Z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')


class FormData(BodySource):
    """Fields in order; a name may stand more than once."""

    def __init__(self, init: object = None, /, **fields: object) -> None:
        self._fields: list[tuple[str, FormValue]] = []
        for name, value in () if is_absent(init) and not fields else entries(fields or init):
            self.append(name, value)

    @classmethod
    def parse(cls, content: bytes, content_type: str | None) -> "FormData":
        """Raises JsException (TypeError) for a type that is not a form's, and for multipart that is malformed."""
        kind = (content_type or "").partition(";")[0].strip().lower()
        form = cls()
        match kind:
            case "application/x-www-form-urlencoded":
                text = content.decode("utf-8", "replace")
                form._fields = list(parse_qsl(text, keep_blank_values=True, errors="replace"))
            case "multipart/form-data":
                form._fields = list(_parsed(content, _boundary(content_type or "")))
            case _:
                raise type_error(
                    'Unrecognized Content-Type header value. FormData can only parse "multipart/form-data" and '
                    f'"application/x-www-form-urlencoded", and it is {content_type!r}.'
                )
        return form

    def append(self, name: object, value: object, filename: object = None) -> None:
        self._fields.append((to_usv_string(name), _value(value, filename)))

    def set(self, name: object, value: object, filename: object = None) -> None:
        new = (to_usv_string(name), _value(value, filename))
        for index, (existing, _) in enumerate(self._fields):
            if existing == name:
                rest = [field for field in self._fields[index + 1 :] if field[0] != name]
                self._fields[index:] = [new, *rest]
                return
        self._fields.append(new)

    def get(self, name: object) -> FormValue | None:
        wanted = to_usv_string(name)
        return next((value for existing, value in self._fields if existing == wanted), None)

    def getAll(self, name: str) -> list[FormValue]:
        return [value for existing, value in self._fields if existing == name]

    def has(self, name: str) -> bool:
        return any(existing == name for existing, _ in self._fields)

    def delete(self, name: str) -> None:
        self._fields = [field for field in self._fields if field[0] != name]

    def entries(self) -> JsIterator[tuple[str, FormValue]]:
        return JsIterator(self.__iter__)

    def keys(self) -> JsIterator[str]:
        return JsIterator(lambda: (name for name, _ in self))

    def values(self) -> JsIterator[FormValue]:
        return JsIterator(lambda: (value for _, value in self))

    def forEach(self, callback: Callable[..., object], _this: object = None) -> None:
        for name, value in self:
            callback(value, name, self)

    def __iter__(self) -> Iterator[tuple[str, FormValue]]:
        return iterate_live(self, lambda form: form._fields)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.has(name)

    def __getitem__(self, name: str) -> FormValue | None:
        return self.get(name)

    def __setitem__(self, name: str, value: object) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        if not self.has(name):
            raise KeyError(name)
        self.delete(name)

    def extract_body(self) -> BodyWithType:
        boundary = multipart.make_boundary()
        parts = [_write(name, value, boundary) for name, value in self._fields]
        content = b"".join([*parts, multipart.write_end(boundary)])
        return BodyWithType(Body(content), f"multipart/form-data; boundary={boundary}")


def _value(value: object, filename: object) -> FormValue:
    if not isinstance(value, Blob):
        return to_usv_string(value)
    if isinstance(value, File) and is_absent(filename):
        return value
    return File.of_upload(value.content_bytes, "blob" if is_absent(filename) else str(filename), value.type)


def _write(name: str, value: FormValue, boundary: str) -> bytes:
    if isinstance(value, str):
        fields = {"Content-Disposition": multipart.form_data(name)}
        content = value.encode("utf-8", "replace")
    else:
        kind = value.type or "application/octet-stream"
        fields = {"Content-Disposition": multipart.form_data(name, value.name), "Content-Type": kind}
        content = value.content_bytes
    return multipart.write_part_head(boundary, fields) + content + b"\r\n"


def _boundary(content_type: str) -> bytes:
    found = _parameters(content_type.encode()).get("boundary")
    if not found:
        raise type_error("No boundary string in Content-Type header. The multipart/form-data MIME type requires one.")
    return found.encode()


def _parameters(field: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(field):
        raw = match[2] if match[2] is not None else match[3]
        found.setdefault(match[1].decode("ascii").lower(), raw.decode("utf-8", "replace").replace('\\"', '"'))
    return found


def _parsed(content: bytes, boundary: bytes) -> Iterator[tuple[str, FormValue]]:
    parts = (b"\r\n" + content).split(b"\r\n--" + boundary)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise type_error("Form data is truncated: the last boundary is missing.")
    for part in parts[1:-1]:
        head, mark, body = part.lstrip(b" \t").partition(b"\r\n\r\n")
        lines = {
            line.partition(b":")[0].strip().lower(): line.partition(b":")[2].strip() for line in head.split(b"\r\n")
        }
        disposition = lines.get(b"content-disposition", b"")
        parameters = _parameters(disposition)
        if not mark or not disposition.lower().startswith(b"form-data") or "name" not in parameters:
            raise type_error("Form data is malformed: a part has no Content-Disposition with a name.")
        name = _unescaped(parameters["name"])
        if "filename" in parameters:
            kind = lines.get(b"content-type", b"application/octet-stream").decode("utf-8", "replace")
            yield name, File.of_upload(body, _unescaped(parameters["filename"]), kind)
        else:
            yield name, body.decode("utf-8", "replace")


def _unescaped(text: str) -> str:
    for character, escape in multipart.NAME_ESCAPES.items():
        text = text.replace(escape, character)
    return text
