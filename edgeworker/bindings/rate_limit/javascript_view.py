"""`env.X` of a rate limit in a JavaScript worker."""

from collections.abc import Mapping

from edgeworker.bindings.javascript_calls import method
from edgeworker.bindings.rate_limit.service import RateLimiter
from edgeworker.bindings.refusal import CallRefused
from edgeworker.runtime.contract.javascript import EnvEntry, EnvMethods


def env_entry(service: RateLimiter) -> EnvEntry:
    async def limit(options: object) -> object:
        if options is not None and not isinstance(options, Mapping):
            raise CallRefused("TypeError", 'limit() takes an object such as { key: "..." }')
        return {"success": service.count(options or {})}

    return EnvMethods({"limit": method(limit, 1)})
