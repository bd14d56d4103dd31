"""`env.ASSETS`: the worker's own static files, as a script fetches them."""

from edgeworker.assets import AssetServer
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.sdk.convert import convert_options
from edgeworker.runtime.sdk.fetch import make_response
from edgeworker.runtime.sdk.response import Response
from edgeworker.runtime.webapi import body_init, perform_fetch
from edgeworker.runtime.webapi.fetch import read_request_info
from edgeworker.runtime.webapi.ffi import JsException


class AssetsView:
    """Of the URL only path and query count."""

    def __init__(self, assets: AssetServer, *, name: str) -> None:
        """`name` is the binding's."""
        self._assets = assets
        self._name = name

    async def fetch(self, resource: object, **options: object) -> Response:
        """As `workers.fetch`, with the assets as the one who answers: `run_worker_first` does not count here."""
        try:
            request = body_init.make_request(read_request_info(resource), convert_options(options))
        except JsException as error:
            raise OSError(error.message) from error
        return make_response(await perform_fetch.perform(request, current_invocation.current(), self._assets))

    def __repr__(self) -> str:
        return f"<assets binding {self._name}>"
