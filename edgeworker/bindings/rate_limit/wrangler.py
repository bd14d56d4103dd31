"""`ratelimits` of wrangler's configuration. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from edgeworker.bindings.rate_limit.binding import RateLimitBinding
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import MISSING, FieldContext, as_table, to_json_text, type_of
from edgeworker.schema.wrangler_field import MUST_STRING, binding_list
from edgeworker.schema.wrangler_shape import WHOLE, WranglerType, members_of, read_table, required


def rate_limit_period(context: FieldContext, value: object) -> None:
    """The `simple` table of a rate limit; `context.label` is that of the table."""
    values = as_table(value) or {}
    item = context.label.removesuffix(".simple")
    if type_of(values.get("limit", MISSING)) != "number":
        context.error(f'"{item}" bindings "simple.limit" must be a number but got {to_json_text(value)}.')
    period = values.get("period", MISSING)
    if type_of(period) != "number":
        context.error(
            f'"{item}" bindings "simple.period" is required and must be a number but got {to_json_text(value)}.'
        )
    elif period not in (10, 60):
        context.error(f'"{item}" bindings "simple.period" must be either 10 or 60 but got {to_json_text(period)}.')
    context.unexpected(values, ["limit", "period"])


@dataclass(frozen=True, slots=True)
class SimpleTable:
    """`simple` of a rate limit."""

    limit: int = field(metadata=required(WHOLE))
    period: int = field(metadata=required(WHOLE))


@dataclass(frozen=True, slots=True)
class RateLimitTable:
    """[[ratelimits]]"""

    name: str = field(metadata=required(text=MUST_STRING))
    namespace_id: str = field(metadata=required(text=MUST_STRING))
    simple: SimpleTable = field(
        metadata=required(
            WranglerType("object", rate_limit_period, lambda value, at: read_table(SimpleTable, as_table(value), at)),
            text='"{at}" bindings must have a "simple" configuration object but got {got}.',
        )
    )


FIELD: Final = binding_list(
    "ratelimits",
    "Rate Limit",
    *members_of(RateLimitTable),
    support="MAP",
    note="counted in fixed periods, over all processes",
)


def read_bindings(fields: WorkerFields) -> Iterator[RateLimitBinding]:
    for _, table in fields.items(FIELD.name, RateLimitTable):
        yield RateLimitBinding(table.name, table.namespace_id, table.simple.limit, table.simple.period)
