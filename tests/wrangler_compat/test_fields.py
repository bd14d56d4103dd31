"""The table of fields holds together. That it is wrangler's is checked in tests/conformance."""

from collections import Counter

from edgeworker.bindings import UnsupportedBinding
from edgeworker.schema.wrangler_field import SUPPORT
from wrangler_compat.fields import BINDING_FIELDS, BY_NAME, FIELDS, LEGACY
from wrangler_compat.plain_fields import PLAIN_FIELDS


def test_no_field_has_two_rows_and_no_legacy_key_is_a_field() -> None:
    counted = Counter(field.name for field in FIELDS) + Counter(legacy.name for legacy in LEGACY)

    assert [name for name, count in counted.items() if count > 1] == []


def test_what_puts_names_into_env_says_so_and_nothing_else_does() -> None:
    assert all(field.binds for field in BINDING_FIELDS)
    assert not any(field.binds for field in PLAIN_FIELDS)


def test_every_field_that_does_not_simply_work_says_what_happens() -> None:
    silent = [field.name for field in FIELDS if field.support != "USE" and not field.note]

    assert silent == ["compliance_region"]
    assert {field.support for field in FIELDS} == set(SUPPORT)


def test_the_words_for_kinds_of_bindings_are_wranglers() -> None:
    # Source: friendlyBindingNames in wrangler 4.164.0
    assert BY_NAME["kv_namespaces"].binds == "KV Namespace"
    assert BY_NAME["vars"].binds == "Environment Variable"
    assert UnsupportedBinding("B", BY_NAME["r2_buckets"].binds or "").kind == "R2 Bucket"


def test_a_row_by_itself_is_of_a_key_that_has_no_effect_on_a_worker() -> None:
    """What has one is a field of a dataclass, which says how it is read (schema/wrangler_shape.py)."""
    assert [field.name for field in PLAIN_FIELDS if field.support in ("USE", "MAP")] == ["env"]
