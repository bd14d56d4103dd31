"""One secret of the Secrets Store.

https://developers.cloudflare.com/secrets-store/integrations/workers/
"""

from edgeworker.bindings.refusal import CallRefused
from edgeworker.bindings.secrets_store.binding import StoredSecretBinding


class StoredSecret:
    def __init__(self, binding: StoredSecretBinding) -> None:
        self._binding = binding

    def get(self) -> str:
        """Raises CallRefused for a secret that was not given."""
        binding = self._binding
        if binding.text is None:
            raise CallRefused(
                "Error",
                f'Secret "{binding.secret_name}" not found: set {binding.name} in .dev.vars, .env or the environment',
            )
        return binding.text
