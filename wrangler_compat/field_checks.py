"""Checks of single fields whose texts wrangler has written for that field alone. Pure.

Texts: read in and recorded from wrangler 4.164.0, see tests/conformance/cases/wrangler_config.json.
"""

from collections.abc import Mapping
from typing import Final

from edgeworker.cron.expression import InvalidCron
from edgeworker.cron.expression import parse as parse_cron
from edgeworker.schema.wrangler_checks import (
    MISSING,
    FieldContext,
    Member,
    as_table,
    bindings,
    boolean,
    is_date,
    shown,
    strings,
    table,
    type_of,
)

_ROUTE_SHAPE: Final = "{ pattern, custom_domain, zone_id | zone_name, enabled, previews_enabled }"
_ROUTE_KEYS: Final = {
    "zone_id": str,
    "zone_name": str,
    "custom_domain": bool,
    "enabled": bool,
    "previews_enabled": bool,
}


def is_route(value: object) -> bool:
    """Whether wrangler accepts `value` in `routes`: a text, or a table with a pattern and where its zone is named."""
    if isinstance(value, str):
        return bool(value)
    values = as_table(value)
    if values is None or not isinstance(values.get("pattern"), str):
        return False
    keys = set(values) - {"pattern"}
    if any(key not in _ROUTE_KEYS or not isinstance(values[key], _ROUTE_KEYS[key]) for key in keys):
        return False
    if {"zone_id", "zone_name"} <= keys or (keys & {"enabled", "previews_enabled"} and "custom_domain" not in keys):
        return False
    return bool(keys & {"zone_id", "zone_name", "custom_domain"})


def route(context: FieldContext, value: object) -> None:
    if not is_route(value):
        context.error(
            f'Expected "{context.label}" to be either a string, or an object with shape {_ROUTE_SHAPE}, '
            f"but got {shown(value)}."
        )


def routes(context: FieldContext, value: object) -> None:
    if not isinstance(value, list):
        context.error(f'Expected "{context.label}" to be an array but got {shown(value)}.')
        return
    bad = [(index, item) for index, item in enumerate(value) if not is_route(item)]
    if bad:
        context.diagnostics.error(
            f'Expected "{context.label}" to be an array of either strings or objects with the shape {_ROUTE_SHAPE}, '
            f"but these weren't valid: {shown([item for _, item in bad], indent=2)}.",
            *(context.document.locate((*context.where, index)) for index, _ in bad),
        )


def variables(context: FieldContext, value: object) -> None:
    values = _table_or_list(context, value, end=".\n")
    for name, item in (values or {}).items():
        if is_date(item):
            inner = context.key(name)
            inner.error(
                f'The field "{inner.label}" is a TOML date, which is not supported. '
                f'Please use a string instead, e.g. {name} = "2025-12-19".'
            )


def defines(context: FieldContext, value: object) -> None:
    for name, item in (_table_or_list(context, value, end=".\n") or {}).items():
        if not isinstance(item, str):
            inner = context.key(name)
            inner.error(f'The field "{inner.label}" should be a string but got {shown(item)}.')


def _table_or_list(context: FieldContext, value: object, *, end: str) -> Mapping[str, object] | None:
    values = as_table(value)
    if values is None:
        context.error(f'The field "{context.label}" should be an object but got {shown(value)}{end}')
    return values


def secrets(context: FieldContext, value: object) -> None:
    values = _table_or_list(context, value, end=".")
    if values is None:
        return
    context.unexpected(values, ["required"])
    if "required" in values:
        strings(context.key("required"), values["required"])


def triggers(context: FieldContext, value: object) -> None:
    values = as_table(value)
    if values is None:
        context.error(f'Expected "{context.label}" to be of type object but got {shown(value)}.')
        return
    for name in ("crons", "events"):
        if name in values and not isinstance(values[name], list):
            inner = context.key(name)
            inner.error(f'Expected "{inner.label}" to be of type array, but got {shown(value)}.')
    crons = values.get("crons")
    for index, cron in enumerate(crons if isinstance(crons, list) else []):
        item = context.key("crons").item(index)
        if not isinstance(cron, str):
            item.error(f'Expected "{item.label}" to be of type string but got {shown(cron)}.')
            continue
        try:
            parse_cron(cron)
        except InvalidCron as error:
            item.error(f"{item.label}: {error}. Cloudflare refuses it when the worker is deployed.")
    context.unexpected(values, ["crons", "events"])


_RULE_TYPES: Final = ("ESModule", "CommonJS", "CompiledWasm", "Text", "Data")


def rules(context: FieldContext, value: object) -> None:
    if not isinstance(value, list):
        context.error(f'The field "{context.label}" should be an array but got {shown(value)}.')
        return
    for index, item in enumerate(value):
        inner = context.item(index)
        values = as_table(item)
        if values is None:
            inner.error(f'"{inner.label}" should be an object but got {shown(item)}.')
            continue
        if values.get("type") not in _RULE_TYPES:
            inner.error(
                'bindings should have a string "type" field, which contains one of '
                '"ESModule", "CommonJS", "CompiledWasm", "Text", or "Data".'
            )
        globs = values.get("globs", MISSING)
        if isinstance(globs, list):
            strings(inner.key("globs"), globs)
        else:
            inner.error(f'Expected "{inner.label}.globs" to be an array of strings but got {shown(globs)}')
        if "fallthrough" in values and not isinstance(values["fallthrough"], bool):
            inner.error('the field "fallthrough", when present, should be a boolean.')


_CONSUMER: Final = (
    ("type", "string"),
    ("max_batch_size", "number"),
    ("max_batch_timeout", "number"),
    ("max_retries", "number"),
    ("dead_letter_queue", "string"),
    ("max_concurrency", "number"),
    ("visibility_timeout_ms", "number"),
    ("retry_delay", "number"),
)
_producers: Final = bindings(
    Member("binding", required=True),
    Member(
        "queue",
        empty=False,
        text='"{at}" bindings should optionally have a non-empty string "queue" field but got {got}.',
    ),
    Member(
        "delivery_delay",
        "number",
        text='"{at}" should, optionally, have a number "delivery_delay" field but got {got}.',
    ),
    Member("remote", "boolean"),
)


def queues(context: FieldContext, value: object) -> None:
    values = _table_or_list(context, value, end=".")
    if values is None:
        return
    context.unexpected(values, ["consumers", "producers"])
    if "consumers" in values:
        consumers = context.key("consumers")
        if isinstance(values["consumers"], list):
            for index, item in enumerate(values["consumers"]):
                _consumer(consumers.item(index), item)
        else:
            consumers.error(f'The field "{consumers.label}" should be an array but got {shown(values["consumers"])}.')
    if "producers" in values:
        _producers(context.key("producers"), values["producers"])


def _consumer(context: FieldContext, value: object) -> None:
    values = as_table(value)
    if values is None:
        context.error(f'"{context.label}" should be a objects, but got {shown(value)}')
        return
    context.unexpected(values, ["queue", *(name for name, _ in _CONSUMER)])
    if not isinstance(values.get("queue"), str):
        context.error(f'"{context.label}" should have a string "queue" field but got {shown(value)}.')
    for name, kind in _CONSUMER:
        if name in values and type_of(values[name]) != kind:
            context.key(name).error(
                f'"{context.label}" should, optionally, have a {kind} "{name}" field but got {shown(value)}.'
            )


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


def run_worker_first(context: FieldContext, value: object) -> None:
    if isinstance(value, list):
        strings(context, value)
    elif not isinstance(value, bool):
        context.error(
            f'The field "{context.label}" should be an array of strings or a boolean, but got {shown(value)}.'
        )


def unsafe(context: FieldContext, value: object) -> None:
    context.warning('"unsafe" fields are experimental and may change or break at any time.')
    table(
        Member("bindings", None, check=_unsafe_bindings),
        Member("metadata", "object"),
        Member("capnp", "object"),
    )(context, value)


_unsafe_bindings: Final = bindings(
    Member("name", required=True, text='binding should have a string "name" field.'),
    Member("type", required=True, text='binding should have a string "type" field.'),
    other_keys=True,
)

remote: Final = Member("remote", "boolean", check=boolean)
