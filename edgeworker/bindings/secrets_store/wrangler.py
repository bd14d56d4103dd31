"""`secrets_store_secrets` of wrangler's configuration. Pure."""

from collections.abc import Iterator
from typing import Final

from edgeworker.bindings.secrets_store.binding import StoredSecretBinding
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import Member
from edgeworker.schema.wrangler_field import MUST_STRING, binding_list

FIELD: Final = binding_list(
    "secrets_store_secrets",
    "Secrets Store Secret",
    Member("binding", required=True, text=MUST_STRING),
    Member("store_id", required=True, text=MUST_STRING),
    Member("secret_name", required=True, text=MUST_STRING),
    support="MAP",
    note="`get()` gives what `.dev.vars`, `.env` or `--var` has under the binding's name",
)


def read_bindings(fields: WorkerFields) -> Iterator[StoredSecretBinding]:
    """Without their values, which are in other files."""
    for _, item in fields.items("secrets_store_secrets"):
        name, secret_name = item.get("binding"), item.get("secret_name")
        if isinstance(name, str) and isinstance(secret_name, str):
            yield StoredSecretBinding(name, secret_name)
