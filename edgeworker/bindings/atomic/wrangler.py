"""The service `edgeworker-atomic` among `services` of wrangler's configuration. Pure."""

from collections.abc import Iterator

from edgeworker.bindings.atomic.binding import AtomicBinding
from edgeworker.bindings.reserved import ATOMIC_SERVICE
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import as_table


def read_bindings(fields: WorkerFields) -> Iterator[AtomicBinding]:
    """The field's row is that of services; `props.space` is the space."""
    for _, item in fields.items("services"):
        name, props = item.get("binding"), as_table(item.get("props")) or {}
        if isinstance(name, str) and item.get("service") == ATOMIC_SERVICE:
            yield AtomicBinding(name, str(props.get("space", "")))
