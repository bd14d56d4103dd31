"""Storage that fails under a script: one line with its cause and the request that met it, however the script ends."""

import logging
from typing import Final

from edgeworker.errors import StoreError, find_store_error
from edgeworker.handler import Context
from edgeworker.messages.log_fields import key_of_traceback, log_fields

_log = logging.getLogger(__name__)

# What scripts of each language see of it; for workerd it is the text that it makes of our 503.
SEEN_BY_SCRIPTS: Final = "failed: 503 Service Unavailable"


def report_storage_failure(what: str, error: StoreError, ctx: Context | None) -> None:
    """`what` is the call: "KV PUT". `ctx` is the invocation that made it."""
    if ctx is None:
        _log.error("%s failed: %s", what, error, extra={"repeats": f"{what} {error}"})
        return
    ctx.has_met_storage_failure = True
    request = ctx.request
    place = f"{request.method} {request.url.origin}{request.url.path}"
    extra = {**log_fields(request), "repeats": f"{ctx.name} {what} {error}"}
    _log.error('worker "%s": %s failed: %s (%s)', ctx.name, what, error, place, extra=extra)


def is_reported(error: BaseException, ctx: Context) -> bool:
    """Whether this exception of a script is a failure of storage that `report_storage_failure` told. Its traceback says
    nothing more: the script is not at fault."""
    return ctx.has_met_storage_failure and (
        find_store_error(error) is not None or str(error).rstrip().endswith(SEEN_BY_SCRIPTS)
    )


def report_failed_wait(worker: str, described: str) -> None:
    """What a JavaScript worker gave to waitUntil() failed, with this stack."""
    extra = {"repeats": f"{worker} waitUntil {key_of_traceback(described)}"}
    shown = storage_failure_line(described) or f": {described}"
    _log.error('worker "%s": waitUntil failed%s', worker, shown, extra=extra)


def storage_failure_line(described: str) -> str:
    """What there is to say of an exception of JavaScript that is such a failure and nothing else; "" for others. The
    requests of workerd to KV do not tell whose they are, so that line has the cause, and this one the request.
    """
    first = described.partition("\n")[0].rstrip()
    return f": {first}; the log has another line with its cause" if first.endswith(SEEN_BY_SCRIPTS) else ""
