import pytest

from edgeworker.cache.ranges import MAX_SPANS, Span, spans


# As miniflare answers for 10 bytes: tests/conformance/cache.json has the whole answers.
@pytest.mark.parametrize(
    ("field", "found"),
    [
        (None, None),
        ("bytes=0-3", [(0, 4)]),
        ("bytes=4-", [(4, 10)]),
        ("bytes=-3", [(7, 10)]),
        ("bytes=0-100", [(0, 10)]),
        ("BYTES=0-0", [(0, 1)]),
        (" bytes = 1 - 2 ", [(1, 3)]),
        ("bytes=0-0,2-3", [(0, 1), (2, 4)]),
        ("bytes=100-", []),
        ("bytes=5-4", []),
        ("bytes=0-0, 100-", []),
        ("lines=1-2", []),
        ("bytes=x", []),
        ("bytes=-", []),
        ("bytes=1-2-3", []),
        ("bytes=", None),
        ("bytes=-0", None),
        ("bytes=-100", None),
        ("bytes=-10", None),
        (f"bytes=0-{'9' * 30}", []),
    ],
)
def test_a_range_names_the_bytes_that_are_meant(field: str | None, found: list[Span] | None) -> None:
    assert spans(field, 10) == found


def test_a_request_for_very_many_parts_gets_the_whole() -> None:
    parts = ",".join(["0-0"] * (MAX_SPANS + 1))

    assert spans(f"bytes={parts}", 10) is None
    assert len(spans(f"bytes={parts[4:]}", 10) or []) == MAX_SPANS
