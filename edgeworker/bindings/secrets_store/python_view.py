"""`env.X` of a secret in the Secrets Store.

https://developers.cloudflare.com/secrets-store/integrations/workers/
"""

from edgeworker.runtime.webapi.ffi import JsException


class StoredSecretView:
    def __init__(self, *, name: str, secret_name: str, text: str | None) -> None:
        """`name` is the binding's."""
        self._name = name
        self._secret_name = secret_name
        self._text = text

    async def get(self) -> str:
        """Raises JsException for a secret that was not given."""
        if self._text is None:
            raise JsException(
                "Error",
                f'Secret "{self._secret_name}" not found: set {self._name} in .dev.vars, .env or the environment',
            )
        return self._text

    def __repr__(self) -> str:
        return f"<stored secret {self._name}>"
