"""`secrets_store_secrets` of wrangler's configuration. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from edgeworker.bindings.secrets_store.binding import StoredSecretBinding
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_field import MUST_STRING, binding_list
from edgeworker.schema.wrangler_shape import members_of, required


@dataclass(frozen=True, slots=True)
class StoredSecretTable:
    """[[secrets_store_secrets]]"""

    binding: str = field(metadata=required(text=MUST_STRING))
    store_id: str = field(metadata=required(text=MUST_STRING))
    secret_name: str = field(metadata=required(text=MUST_STRING))


FIELD: Final = binding_list(
    "secrets_store_secrets",
    "Secrets Store Secret",
    *members_of(StoredSecretTable),
    support="MAP",
    note="`get()` gives what `.dev.vars`, `.env` or `--var` has under the binding's name",
)


def read_bindings(fields: WorkerFields) -> Iterator[StoredSecretBinding]:
    """Without their values, which are in other files."""
    for _, table in fields.items(FIELD.name, StoredSecretTable):
        yield StoredSecretBinding(table.binding, table.secret_name)
