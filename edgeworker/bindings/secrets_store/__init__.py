"""Secrets of the Secrets Store."""

from typing import TYPE_CHECKING, Final

from edgeworker.bindings.kind import Resources, make_kind
from edgeworker.bindings.secrets_store import wrangler
from edgeworker.bindings.secrets_store.binding import StoredSecretBinding

if TYPE_CHECKING:
    from edgeworker.bindings.secrets_store.service import StoredSecret
    from edgeworker.runtime.contract.javascript import EnvEntry


def _service(binding: StoredSecretBinding, _resources: Resources) -> "StoredSecret":
    from edgeworker.bindings.secrets_store.service import StoredSecret

    return StoredSecret(binding)


def _python_view(binding: StoredSecretBinding, secret: "StoredSecret") -> object:
    from edgeworker.bindings.secrets_store.python_view import StoredSecretView

    return StoredSecretView(secret, name=binding.name)


def _describe(binding: StoredSecretBinding) -> tuple[str, str]:
    return "Secrets Store Secret", f"{binding.secret_name}: {'not given' if binding.text is None else '(hidden)'}"


def _javascript_view(_binding: StoredSecretBinding, service: "StoredSecret") -> "EnvEntry":
    from edgeworker.bindings.secrets_store.javascript_view import env_entry

    return env_entry(service)


KIND: Final = make_kind(
    StoredSecretBinding,
    fields=(wrangler.FIELD,),
    read=wrangler.read_bindings,
    describe=_describe,
    annotate=lambda _binding: "SecretsStoreSecret",
    service=_service,
    python=_python_view,
    javascript=_javascript_view,
)
