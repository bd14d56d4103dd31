"""`services` of wrangler's configuration. Pure."""

from collections.abc import Iterator
from typing import Final

from edgeworker.bindings.reserved import ATOMIC_SERVICE
from edgeworker.bindings.service.binding import ServiceBinding
from edgeworker.bindings.service_table import ServiceTable
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import bindings
from edgeworker.schema.wrangler_field import Field
from edgeworker.schema.wrangler_shape import members_of

FIELD: Final = Field(
    "services",
    bindings(*members_of(ServiceTable), other_keys=True),
    "own",
    "USE",
    "other workers of the same edge, and the service `edgeworker-atomic` (see scripts/atomic); `environment` and "
    "`dev` have no effect",
    "Worker",
    "items",
)


def read_bindings(fields: WorkerFields) -> Iterator[ServiceBinding]:
    """Of workers; the service `edgeworker-atomic` is a kind of its own."""
    for _, table in fields.items(FIELD.name, ServiceTable):
        if table.service != ATOMIC_SERVICE:
            yield ServiceBinding(table.binding, table.service, table.entrypoint, table.props or {})
