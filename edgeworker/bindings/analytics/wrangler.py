"""`analytics_engine_datasets` of wrangler's configuration. Pure."""

from collections.abc import Iterator
from typing import Final

from edgeworker.bindings.analytics.binding import AnalyticsBinding
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import Member
from edgeworker.schema.wrangler_field import BINDING, REMOTE, binding_list

FIELD: Final = binding_list(
    "analytics_engine_datasets",
    "Analytics Engine Dataset",
    BINDING,
    Member("dataset", empty=False),
    REMOTE,
    support="MAP",
    note="`writeDataPoint` is logged (with `--verbose`) and goes nowhere",
)


def read_bindings(fields: WorkerFields) -> Iterator[AnalyticsBinding]:
    for _, item in fields.items("analytics_engine_datasets"):
        name, dataset = item.get("binding"), item.get("dataset")
        if isinstance(name, str):
            yield AnalyticsBinding(name, dataset if isinstance(dataset, str) else name)
