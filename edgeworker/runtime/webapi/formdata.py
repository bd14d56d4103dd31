"""JavaScript's `FormData`, and the two encodings of forms.

Sources: https://xhr.spec.whatwg.org/#formdata, https://html.spec.whatwg.org/#multipart-form-data
"""

from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl

from edgeworker.messages import Body, multipart
from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi.base import BodyWithType, entries, is_absent, type_error
from edgeworker.runtime.webapi.blob import Blob, File
from edgeworker.runtime.webapi.pair_list import PairList
from edgeworker.runtime.webapi.strings import to_usv_string

if TYPE_CHECKING:
    from edgeworker.runtime.webapi.form_reader import FormPart

FormValue = str | File


class FormData(PairList[FormValue]):
    """Fields in order; a name may stand more than once."""

    def __init__(self, init: object = None, /, **fields: object) -> None:
        self._pairs: list[tuple[str, FormValue]] = []
        for name, value in () if is_absent(init) and not fields else entries(fields or init):
            self.append(name, value)

    @classmethod
    def new(cls, *args: object, **options: object) -> Self:
        """Fields that are given are those of a lenient edge; workerd ignores them."""
        is_given = options or (args and not is_absent(args[0]))
        if is_given and portability_warnings.is_refused(
            "FormData.new() takes no fields on Cloudflare: they are ignored", "append() them"
        ):
            return cls()
        return cls(*args, **options)

    @classmethod
    def parse(cls, content: bytes, content_type: str | None) -> "FormData":
        """Raises JsException (TypeError) for a type that is not a form's, and for multipart that is malformed."""
        if not content_type:
            raise type_error("Parsing a Body as FormData requires a Content-Type header.")
        form = cls()
        match content_type.partition(";")[0].strip().lower():
            case "application/x-www-form-urlencoded":
                text = content.decode("utf-8", "replace")
                form._pairs = list(parse_qsl(text, keep_blank_values=True, errors="replace"))
            case "multipart/form-data":
                from edgeworker.runtime.webapi.form_reader import boundary_of, read_form

                form._pairs = [(part.name, _part_value(part)) for part in read_form(content, boundary_of(content_type))]
            case _:
                raise type_error(
                    "Unrecognized Content-Type header value. FormData can only parse the following MIME types: "
                    "multipart/form-data, application/x-www-form-urlencoded"
                )
        return form

    def append(self, name: object, value: object, filename: object = None) -> None:
        self._append(name, _value(value, filename))

    def set(self, name: object, value: object, filename: object = None) -> None:
        self._set(name, _value(value, filename))

    def has(self, name: object) -> bool:
        return to_usv_string(name) in self

    def delete(self, name: object) -> None:
        unwanted = to_usv_string(name)
        self._delete(lambda pair: pair[0] == unwanted)

    def _read_value(self, value: object) -> FormValue:
        return _value(value, None)

    def extract_body(self) -> BodyWithType:
        boundary = multipart.make_boundary()
        parts = [_write(name, value, boundary) for name, value in self._pairs]
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


def _part_value(part: "FormPart") -> FormValue:
    if part.filename is None:
        return part.content.decode("utf-8", "replace")
    return File.of_upload(part.content, part.filename, part.content_type)
