"""The service `edgeworker-atomic` among `services` of wrangler's configuration. Pure."""

from collections.abc import Iterator

from edgeworker.bindings.atomic.binding import AtomicBinding
from edgeworker.bindings.reserved import ATOMIC_SERVICE
from edgeworker.bindings.service_table import ServiceTable
from edgeworker.schema.worker_fields import WorkerFields


def read_bindings(fields: WorkerFields) -> Iterator[AtomicBinding]:
    """The field's row is that of services; `props.space` is the space."""
    for _, table in fields.items("services", ServiceTable):
        if table.service == ATOMIC_SERVICE:
            yield AtomicBinding(table.binding, str((table.props or {}).get("space", "")))
