"""`env.X` of a secret in the Secrets Store, in a JavaScript worker."""

from edgeworker.bindings.javascript_calls import method
from edgeworker.bindings.secrets_store.service import StoredSecret
from edgeworker.runtime.contract.javascript import EnvEntry, EnvMethods


def env_entry(service: StoredSecret) -> EnvEntry:
    async def get() -> object:
        return service.get()

    return EnvMethods({"get": method(get, 0)})
