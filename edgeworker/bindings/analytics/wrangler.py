"""`analytics_engine_datasets` of wrangler's configuration. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from edgeworker.bindings.analytics.binding import AnalyticsBinding
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_field import binding_list
from edgeworker.schema.wrangler_shape import BOOLEAN, member, members_of, required


@dataclass(frozen=True, slots=True)
class DatasetTable:
    """[[analytics_engine_datasets]]"""

    binding: str = field(metadata=required())
    dataset: str | None = member(None, empty=False)
    remote: bool = member(False, BOOLEAN)


FIELD: Final = binding_list(
    "analytics_engine_datasets",
    "Analytics Engine Dataset",
    *members_of(DatasetTable),
    support="MAP",
    note="`writeDataPoint` is logged (with `--verbose`) and goes nowhere",
)


def read_bindings(fields: WorkerFields) -> Iterator[AnalyticsBinding]:
    for _, table in fields.items(FIELD.name, DatasetTable):
        yield AnalyticsBinding(table.binding, table.dataset or table.binding)
