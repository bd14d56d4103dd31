"""`services` of wrangler's configuration. Pure."""

from collections.abc import Iterator
from typing import Final

from edgeworker.bindings.reserved import ATOMIC_SERVICE
from edgeworker.bindings.service.binding import ServiceBinding
from edgeworker.schema.json_value import as_json
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import Member, as_table, bindings
from edgeworker.schema.wrangler_field import BINDING, REMOTE, Field

FIELD: Final = Field(
    "services",
    bindings(
        BINDING,
        Member("service", required=True),
        Member("environment", text='"{at}" bindings should have a string "{name}" field but got {got}.'),
        Member("entrypoint", text='"{at}" bindings should have a string "{name}" field but got {got}.'),
        REMOTE,
        other_keys=True,
    ),
    "own",
    "USE",
    "other workers of the same edge, and the service `edgeworker-atomic` (see scripts/atomic); `environment` and "
    "`dev` have no effect",
    "Worker",
    "items",
)


def read_bindings(fields: WorkerFields) -> Iterator[ServiceBinding]:
    """Of workers; the service `edgeworker-atomic` is a kind of its own."""
    for _, item in fields.items("services"):
        name, service, entrypoint = item.get("binding"), item.get("service"), item.get("entrypoint")
        if isinstance(name, str) and isinstance(service, str) and service != ATOMIC_SERVICE:
            props = {key: as_json(value) for key, value in (as_table(item.get("props")) or {}).items()}
            yield ServiceBinding(name, service, entrypoint if isinstance(entrypoint, str) else None, props)
