"""`workers.fetch`."""

from edgeworker import messages
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.sdk.convert import convert_options
from edgeworker.runtime.sdk.failures import AbortError
from edgeworker.runtime.sdk.request import Request
from edgeworker.runtime.sdk.response import Response
from edgeworker.runtime.webapi import abort, body_init, perform_fetch
from edgeworker.runtime.webapi.abort import AbortSignal
from edgeworker.runtime.webapi.fetch import Response as JSResponse
from edgeworker.runtime.webapi.fetch import choose_signal, read_request_info
from edgeworker.runtime.webapi.ffi import JsException


async def fetch(resource: object, **options: object) -> Response:
    """Out of the current invocation: `resource` is an URL or a request, the options are Fetch's.

    Raises OSError where the network fails, also in the making of the request, as the SDK does. An answer of 400 or
    more is not an error.
    """
    context = current_invocation.current()
    signal: AbortSignal | None = None
    try:
        if not options and type(resource) is Request and resource.made_js_object is None:
            source = resource.core
            body_init.raise_if_used(source)
        else:
            source = _make_request(resource, options)
            signal = choose_signal(resource, options)
    except JsException as error:
        raise OSError(error.message) from error
    work = perform_fetch.perform(source, context)
    try:
        if signal is None:
            return Response.over_fetched(await work)
        return make_response(await abort.run_unless_aborted(work, signal), signal)
    except JsException as error:
        if signal is not None and signal.aborted:
            raise AbortError(error.message) from error
        raise OSError(error.message) from error


def _make_request(resource: object, options: dict[str, object]) -> messages.Request:
    """Raises JsException."""
    source = read_request_info(resource)
    if options or isinstance(source, str):
        source = body_init.make_request(source, convert_options(options), own_headers=True)
    body_init.raise_if_used(source)
    return source


def make_response(fetched: perform_fetch.Fetched, signal: AbortSignal | None = None) -> Response:
    if signal is None:
        return Response.over_fetched(fetched)
    return Response.over(fetched.response, JSResponse.over_fetched(fetched, signal))
