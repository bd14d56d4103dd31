"""`durable_objects` of wrangler's configuration, with what `migrations` say of its classes. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from edgeworker.bindings.durable_object.binding import DurableObjectBinding
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import Member, as_table, listed
from edgeworker.schema.wrangler_field import Field

KIND_NAME: Final = "Durable Object"
FIELD: Final = Field(
    "durable_objects",
    listed(
        Member("name", required=True, text='binding should have a string "name" field.'),
        Member("class_name", required=True, text='binding should have a string "class_name" field.'),
        Member("script_name", text='the field "script_name", when present, should be a string.'),
        Member("environment", text='the field "environment", when present, should be a string.'),
    ),
    "own",
    "USE",
    "in workerd, until a reload; for Python and in the embedded engine using it raises an error",
    KIND_NAME,
    "bindings",
)


def read_bindings(fields: WorkerFields) -> Iterator[DurableObjectBinding]:
    listed_values = fields.table(FIELD.name).get("bindings")
    with_sqlite = _classes_with_sqlite(fields)
    for item in listed_values if isinstance(listed_values, list) else []:
        values = as_table(item) or {}
        name, class_name, script = values.get("name"), values.get("class_name"), values.get("script_name")
        if isinstance(name, str) and isinstance(class_name, str):
            other = script if isinstance(script, str) and script != fields.worker else None
            yield DurableObjectBinding(name, class_name, other, other is not None or class_name in with_sqlite)


def _classes_with_sqlite(fields: WorkerFields) -> set[str]:
    """By the migrations in their order, under the names that the classes have now."""
    value = fields.value("migrations")
    found: set[str] = set()
    for item in value if isinstance(value, list) else []:
        step = as_table(item) or {}
        found.update(_texts(step, "new_sqlite_classes"))
        found.difference_update(_texts(step, "deleted_classes"))
        renamed = step.get("renamed_classes")
        for one in renamed if isinstance(renamed, list) else []:
            names = as_table(one) or {}
            if names.get("from") in found and isinstance(new := names.get("to"), str):
                found.discard(str(names["from"]))
                found.add(new)
    return found


def _texts(step: Mapping[str, object], name: str) -> list[str]:
    value = step.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
