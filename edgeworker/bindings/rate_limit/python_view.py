"""`env.X` of a rate limit, for Python scripts."""

from edgeworker.bindings.python_calls import javascript_exceptions
from edgeworker.bindings.rate_limit.service import RateLimiter
from edgeworker.runtime.webapi.base import options
from edgeworker.runtime.webapi.ffi import JsDict, JsException


class RateLimitView:
    def __init__(self, service: RateLimiter, *, name: str) -> None:
        """`name` is the binding's."""
        self._service = service
        self._name = name

    async def limit(self, init: object = None, /, **keywords: object) -> JsDict:
        """`{"success": bool}`. Raises JsException for invalid options."""
        if init is None and not keywords:
            raise JsException("Error", "invalid rate limit options")
        with javascript_exceptions():
            return JsDict(success=self._service.count(options(init, keywords)))

    def __repr__(self) -> str:
        return f"<rate limit {self._name}>"
