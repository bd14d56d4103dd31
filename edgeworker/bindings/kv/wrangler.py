"""`kv_namespaces` of wrangler's configuration. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from edgeworker.bindings.kv.binding import KVBinding
from edgeworker.schema.ids import made_up
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_field import binding_list
from edgeworker.schema.wrangler_shape import BOOLEAN, member, members_of, required


@dataclass(frozen=True, slots=True)
class NamespaceTable:
    """[[kv_namespaces]]"""

    binding: str = field(metadata=required())
    id: str | None = member(
        None, empty=False, text='"{at}" bindings should have a string "{name}" field but got {got}.'
    )
    preview_id: str | None = member(None)
    remote: bool = member(False, BOOLEAN)


FIELD: Final = binding_list(
    "kv_namespaces",
    "KV Namespace",
    *members_of(NamespaceTable),
    support="USE",
    note="`id` is used, with `--preview` `preview_id`; without an id one is made from the worker and the binding",
)


def read_bindings(fields: WorkerFields) -> Iterator[KVBinding]:
    for index, table in fields.items(FIELD.name, NamespaceTable):
        configured = (table.preview_id if fields.preview else None) or table.id
        identifier = configured or made_up("kv", fields.worker, table.binding)
        if "/" in identifier:
            fields.diagnostics.error(
                f'"kv_namespaces[{index}]" has the id "{identifier}", but an id must not contain "/".',
                fields.locate("kv_namespaces", index),
            )
        yield KVBinding(table.binding, identifier)
