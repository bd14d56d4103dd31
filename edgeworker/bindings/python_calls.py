"""What the views of Python scripts have in common."""

from collections.abc import Iterator
from contextlib import contextmanager

from edgeworker.bindings.refusal import CallRefused
from edgeworker.runtime.webapi.ffi import JsException


@contextmanager
def javascript_exceptions() -> Iterator[None]:
    """Raises a CallRefused as the JsException that scripts on Cloudflare get."""
    try:
        yield
    except CallRefused as error:
        raise JsException(error.error, error.text) from error
