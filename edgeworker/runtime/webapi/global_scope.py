"""What workerd allows in handlers only, and refuses while a script is loaded."""

from typing import Final

from edgeworker.runtime.contract import portability_warnings, script_frames
from edgeworker.runtime.webapi.ffi import JsException

_DISALLOWED: Final = (
    "Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), setting a timeout, "
    "and generating random values are not allowed within global scope. To fix this error, perform this operation "
    "within a handler. https://developers.cloudflare.com/workers/runtime-apis/handlers/"
)


def refuse_in_global_scope(operation: str) -> None:
    """Raises JsException while the script's top level runs; a lenient edge tells it only."""
    script = script_frames.entered_script()
    if script is None or not script.is_loading:
        return
    if portability_warnings.is_refused(
        f"{operation} is refused on Cloudflare while a script is loaded", "call it within a handler"
    ):
        raise JsException("Error", _DISALLOWED)
