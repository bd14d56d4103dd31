"""`kv_namespaces` of wrangler's configuration. Pure."""

from collections.abc import Iterator
from typing import Final

from edgeworker.bindings.kv.binding import KVBinding
from edgeworker.schema.ids import made_up
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import Member
from edgeworker.schema.wrangler_field import BINDING, REMOTE, binding_list

FIELD: Final = binding_list(
    "kv_namespaces",
    "KV Namespace",
    BINDING,
    Member("id", empty=False, text='"{at}" bindings should have a string "{name}" field but got {got}.'),
    Member("preview_id"),
    REMOTE,
    support="USE",
    note="`id` is used, with `--preview` `preview_id`; without an id one is made from the worker and the binding",
)


def read_bindings(fields: WorkerFields) -> Iterator[KVBinding]:
    for index, item in fields.items("kv_namespaces"):
        name = item.get("binding")
        if not isinstance(name, str):
            continue
        configured = (item.get("preview_id") if fields.preview else None) or item.get("id")
        identifier = configured if isinstance(configured, str) else made_up("kv", fields.worker, name)
        if "/" in identifier:
            fields.diagnostics.error(
                f'"kv_namespaces[{index}]" has the id "{identifier}", but an id must not contain "/".',
                fields.locate("kv_namespaces", index),
            )
        yield KVBinding(name, identifier)
