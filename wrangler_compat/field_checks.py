"""Checks of single fields whose texts wrangler has written for that field alone. Pure.

Texts: read in and recorded from wrangler 4.164.0, see tests/conformance/cases/wrangler_config.json.
"""

from collections.abc import Sequence
from typing import Final

from edgeworker.schema.wrangler_checks import FieldContext, as_table, to_json_text

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
            f"but got {to_json_text(value)}."
        )


def routes(context: FieldContext, value: object) -> None:
    if not isinstance(value, list):
        context.error(f'Expected "{context.label}" to be an array but got {to_json_text(value)}.')
        return
    bad = [(index, item) for index, item in enumerate(value) if not is_route(item)]
    if bad:
        context.diagnostics.error(
            f'Expected "{context.label}" to be an array of either strings or objects with the shape {_ROUTE_SHAPE}, '
            f"but these weren't valid: {to_json_text([item for _, item in bad], indent=2)}.",
            *(context.document.locate((*context.where, index)) for index, _ in bad),
        )


def triggers(context: FieldContext, value: object) -> None:
    values = as_table(value)
    if values is None:
        context.error(f'Expected "{context.label}" to be of type object but got {to_json_text(value)}.')
        return
    for name in ("crons", "events"):
        if name in values and not isinstance(values[name], list):
            inner = context.key(name)
            inner.error(f'Expected "{inner.label}" to be of type array, but got {to_json_text(value)}.')
    crons = values.get("crons")
    if isinstance(crons, list):
        _check_crons(context.key("crons"), crons)
    context.unexpected(values, ["crons", "events"])


def _check_crons(context: FieldContext, crons: Sequence[object]) -> None:
    from edgeworker.cron.expression import InvalidCron, parse  # few workers have triggers

    for index, cron in enumerate(crons):
        item = context.item(index)
        if not isinstance(cron, str):
            item.error(f'Expected "{item.label}" to be of type string but got {to_json_text(cron)}.')
            continue
        try:
            parse(cron)
        except InvalidCron as error:
            item.error(f"{item.label}: {error}. Cloudflare refuses it when the worker is deployed.")
