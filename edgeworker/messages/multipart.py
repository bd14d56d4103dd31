"""Writes multipart bodies. The library `multipart`, which reads them, has no writer.

Sources: https://www.rfc-editor.org/rfc/rfc2046#section-5.1, https://html.spec.whatwg.org/#multipart-form-data
"""

import secrets
from collections.abc import Mapping
from typing import Final

# What HTML escapes in the names of a form's parts.
NAME_ESCAPES: Final = {"\r": "%0D", "\n": "%0A", '"': "%22"}


def make_boundary() -> str:
    """A boundary that stands in no content."""
    return f"edgeworker-boundary-{secrets.token_hex(16)}"


def write_part_head(boundary: str, fields: Mapping[str, str]) -> bytes:
    """What stands before a part's content; after the content comes a line end."""
    lines = [f"--{boundary}", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")


def write_end(boundary: str) -> bytes:
    """What stands after the last part, without a line end, as the Workers runtime writes it."""
    return f"--{boundary}--".encode()


def form_data(name: str, filename: str | None = None) -> str:
    """The Content-Disposition of a form's part."""
    text = f'form-data; name="{_escape(name)}"'
    return text if filename is None else f'{text}; filename="{_escape(filename)}"'


def _escape(text: str) -> str:
    return "".join(NAME_ESCAPES.get(character, character) for character in text)
