"""`vars`, `secrets` and `version_metadata` of wrangler's configuration. Pure.

Their values come from several files, see wrangler_compat/variables.py.
"""

from typing import Final

from edgeworker.schema.wrangler_checks import FieldContext, as_table, is_date, require_table, strings
from edgeworker.schema.wrangler_field import Field, one_binding


def variables(context: FieldContext, value: object) -> None:
    values = require_table(context, value, end=".\n")
    for name, item in (values or {}).items():
        if is_date(item):
            inner = context.key(name)
            inner.error(
                f'The field "{inner.label}" is a TOML date, which is not supported. '
                f'Please use a string instead, e.g. {name} = "2025-12-19".'
            )


def secrets(context: FieldContext, value: object) -> None:
    values = require_table(context, value, end=".")
    if values is None:
        return
    context.unexpected(values, ["required"])
    if "required" in values:
        strings(context.key("required"), values["required"])


def _required_names(value: object) -> list[str]:
    required = (as_table(value) or {}).get("required")
    return [str(name) for name in required] if isinstance(required, list) else []


VARS: Final = Field("vars", variables, "own", "USE", "texts, and any other JSON value", "Environment Variable", "vars")
SECRETS: Final = Field(
    "secrets",
    secrets,
    "own",
    "USE",
    "`required` names are looked for in `.dev.vars`, `.env` and the process environment; "
    "these files have the grammar of npm's dotenv, as in wrangler",
    "Secret",
    names=_required_names,
)
VERSION_METADATA: Final = one_binding(
    "version_metadata",
    "Worker Version Metadata",
    support="MAP",
    other_keys=True,
    note="`id` is made from the script and its configuration, `timestamp` is the newest file's",
)
