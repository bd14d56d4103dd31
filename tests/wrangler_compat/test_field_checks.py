"""What counts as a route, and warnings of our own. The texts are compared with wrangler's in tests/conformance."""

import pytest

from edgeworker.schema.diagnostics import Diagnostics
from edgeworker.schema.wrangler_checks import FieldContext
from tests.wrangler_compat.project import document
from wrangler_compat.field_checks import is_route, triggers


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("example.com/*", True),
        ("", False),
        (5, False),
        ({"pattern": "a.com/*"}, False),
        ({"pattern": "a.com/*", "zone_id": "1"}, True),
        ({"pattern": "a.com/*", "zone_name": "a.com"}, True),
        ({"pattern": "a.com/*", "zone_name": "a.com", "zone_id": "1"}, False),
        ({"pattern": "a.com", "custom_domain": True}, True),
        ({"pattern": "a.com", "custom_domain": True, "zone_name": "a.com"}, True),
        ({"pattern": "a.com", "custom_domain": True, "enabled": False}, True),
        ({"pattern": "a.com", "zone_id": "1", "enabled": False}, False),
        ({"pattern": "a.com", "custom_domain": "yes"}, False),
        ({"pattern": "a.com", "zone_id": "1", "script": "x"}, False),
        ({"zone_id": "1"}, False),
    ],
)
def test_a_route_names_its_zone_in_one_way_and_has_no_other_keys(value: object, good: bool) -> None:
    assert is_route(value) is good


@pytest.mark.parametrize(("cron", "wrong"), [("*/5 * * * *", False), ("0 0 L * MON#1", False), ("* * * * 0", True)])
def test_a_trigger_is_an_expression_that_cloudflare_takes(cron: str, wrong: bool) -> None:
    diagnostics = Diagnostics()
    read = document(f'[triggers]\ncrons = ["{cron}"]\n')

    triggers(FieldContext(read, diagnostics, ("triggers",), "triggers"), read.values["triggers"])

    assert [message.level for message in diagnostics.messages] == ["error"] * wrong
