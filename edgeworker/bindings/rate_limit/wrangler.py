"""`ratelimits` of wrangler's configuration. Pure."""

from collections.abc import Iterator
from typing import Final

from edgeworker.bindings.rate_limit.binding import RateLimitBinding
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import MISSING, FieldContext, Member, as_table, shown, type_of
from edgeworker.schema.wrangler_field import MUST_STRING, binding_list


def rate_limit_period(context: FieldContext, value: object) -> None:
    """The `simple` table of a rate limit; `context.label` is that of the table."""
    values = as_table(value) or {}
    item = context.label.removesuffix(".simple")
    if type_of(values.get("limit", MISSING)) != "number":
        context.error(f'"{item}" bindings "simple.limit" must be a number but got {shown(value)}.')
    period = values.get("period", MISSING)
    if type_of(period) != "number":
        context.error(f'"{item}" bindings "simple.period" is required and must be a number but got {shown(value)}.')
    elif period not in (10, 60):
        context.error(f'"{item}" bindings "simple.period" must be either 10 or 60 but got {shown(period)}.')
    context.unexpected(values, ["limit", "period"])


FIELD: Final = binding_list(
    "ratelimits",
    "Rate Limit",
    Member("name", required=True, text=MUST_STRING),
    Member("namespace_id", required=True, text=MUST_STRING),
    Member(
        "simple",
        "object",
        required=True,
        text='"{at}" bindings must have a "simple" configuration object but got {got}.',
        check=rate_limit_period,
    ),
    support="MAP",
    note="counted in fixed periods, by each process for itself",
)


def read_bindings(fields: WorkerFields) -> Iterator[RateLimitBinding]:
    for _, item in fields.items("ratelimits"):
        simple = as_table(item.get("simple")) or {}
        name, namespace = item.get("name"), item.get("namespace_id")
        limit, period = simple.get("limit"), simple.get("period")
        if isinstance(name, str) and isinstance(namespace, str) and isinstance(limit, int) and isinstance(period, int):
            yield RateLimitBinding(name, namespace, limit, period)
