"""What of wrangler's configuration is bound, and not emulated."""

import pytest

from edgeworker.bindings import UnsupportedBinding
from edgeworker.schema.diagnostics import Diagnostics
from tests.wrangler_compat.project import HEAD, document
from wrangler_compat.config import parse_worker
from wrangler_compat.environments import choose


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ('[[r2_buckets]]\nbinding = "FILES"\nbucket_name = "files"', [("FILES", "R2 Bucket")]),
        ('[[queues.producers]]\nbinding = "JOBS"\nqueue = "jobs"', [("JOBS", "Queue")]),
        ('[[queues.consumers]]\nqueue = "jobs"', []),
        ('[[send_email]]\nname = "MAIL"', [("MAIL", "Send Email")]),
        ('[ai]\nbinding = "AI"', [("AI", "AI")]),
        ('[[unsafe.bindings]]\nname = "LIMIT"\ntype = "ratelimit"', [("LIMIT", "Unsafe Metadata")]),
        ("[unsafe]\nmetadata = { a = 1 }", []),
    ],
)
def test_each_kind_is_bound_by_the_names_that_it_has(text: str, bound: list[tuple[str, str]]) -> None:
    parsed = parse_worker(choose(document(HEAD + text), None, Diagnostics()), Diagnostics())

    assert parsed.bindings == tuple(UnsupportedBinding(name, kind) for name, kind in bound)
