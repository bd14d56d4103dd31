"""`env.X` of a stored secret, for Python scripts."""

from edgeworker.bindings.python_calls import javascript_exceptions
from edgeworker.bindings.secrets_store.service import StoredSecret


class StoredSecretView:
    def __init__(self, secret: StoredSecret, *, name: str) -> None:
        """`name` is the binding's."""
        self._secret = secret
        self._name = name

    async def get(self) -> str:
        """Raises JsException for a secret that was not given."""
        with javascript_exceptions():
            return self._secret.get()

    def __repr__(self) -> str:
        return f"<stored secret {self._name}>"
