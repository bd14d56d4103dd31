"""`env.ATOMIC` of a JavaScript worker."""

from edgeworker.bindings.atomic.service import AtomicService
from edgeworker.bindings.javascript_calls import method
from edgeworker.runtime.contract.javascript import EnvEntry, EnvMethods


def env_entry(service: AtomicService) -> EnvEntry:
    return EnvMethods(
        {
            "get": method(service.get, 1),
            "put_if_absent": method(service.put_if_absent, 3),
            "compare_and_put": method(service.compare_and_put, 4),
            "take": method(service.take, 1),
        }
    )
