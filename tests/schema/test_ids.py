"""Ids that are made where none is configured."""

import re
from uuid import UUID

from edgeworker.schema.ids import made_up, version_id


def test_an_id_is_always_the_same_for_the_same_thing_and_looks_like_cloudflares() -> None:
    assert made_up("kv", "w", "A") == made_up("kv", "w", "A")
    assert re.fullmatch(r"[0-9a-f]{32}", made_up("account"))


def test_parts_do_not_run_into_each_other() -> None:
    assert made_up("kv", "ab", "c") != made_up("kv", "a", "bc")


def test_a_version_is_a_uuid_that_follows_its_parts() -> None:
    assert UUID(version_id(b"a", b"b")).version == 4
    assert version_id(b"a", b"b") == version_id(b"a", b"b") != version_id(b"ab", b"")
