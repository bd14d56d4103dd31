"""`workers.fetch`."""

from edgeworker.runtime import contents, fetching, invocation
from edgeworker.runtime.ffi import JsException
from edgeworker.runtime.js import tasks
from edgeworker.runtime.js.fetch import Response as JSResponse
from edgeworker.runtime.js.fetch import resource_of
from edgeworker.runtime.sdk.convert import from_python
from edgeworker.runtime.sdk.failures import AbortError
from edgeworker.runtime.sdk.response import Response


async def fetch(resource: object, **options: object) -> Response:
    """Out of the current invocation: `resource` is an URL or a request, the options are Fetch's.

    Raises OSError where the network fails, also in the making of the request, as the SDK does. An answer of 400 or
    more is not an error.
    """
    context = invocation.current()
    source = resource_of(resource)
    try:
        if options or isinstance(source, str):
            source = contents.make_request(source, from_python(options))
        contents.check_unused(source)
    except JsException as error:
        raise OSError(error.message) from error
    work = fetching.perform(source, context)
    if (signal := options.get("signal")) is None:
        return of_fetched(await work)
    try:
        fetched = await tasks.unless_aborted(work, signal)
    except JsException as error:
        raise AbortError(error.message) from error
    assert isinstance(fetched, fetching.Fetched)
    return of_fetched(fetched)


def of_fetched(fetched: fetching.Fetched) -> Response:
    return Response.over(fetched.response, JSResponse.over_fetched(fetched))
