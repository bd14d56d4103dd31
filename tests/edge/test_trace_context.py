"""W3C Trace Context: https://www.w3.org/TR/trace-context/"""

from pathlib import Path

import pytest

from edgeworker.config import Config, Zone
from edgeworker.edge.trace_context import TraceParent, parse_traceparent, renew_parent, replace_parent
from edgeworker.messages import Headers
from tests.edge.making import make

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
OWN = TraceParent(TRACE, "00f067aa0ba902b7", "01")


@pytest.mark.parametrize(
    ("value", "parent"),
    [
        (f"00-{TRACE}-{SPAN}-01", TraceParent(TRACE, SPAN, "01")),
        (f"00-{TRACE}-{SPAN}-00", TraceParent(TRACE, SPAN, "00")),
        # Section 3.2.2.5.1: only the flag that is known is passed on.
        (f"00-{TRACE}-{SPAN}-ff", TraceParent(TRACE, SPAN, "01")),
        # Section 3.2.2: a later version may have more.
        (f"cc-{TRACE}-{SPAN}-01-what-comes", TraceParent(TRACE, SPAN, "01")),
        (f"cc-{TRACE}-{SPAN}-01.what", None),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}", None),
        (f"00-{TRACE}-{SPAN}-1", None),
        (f" 00-{TRACE}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}-01\n", None),
        ("", None),
    ],
    ids=range(15),
)
def test_only_a_valid_parent_counts(value: str, parent: TraceParent | None) -> None:
    assert parse_traceparent([value]) == parent


def test_two_parents_are_none() -> None:
    value = f"00-{TRACE}-{SPAN}-01"

    assert parse_traceparent([value, value]) is None
    assert parse_traceparent([]) is None


def test_what_is_behind_the_edge_has_the_edge_as_its_parent_and_keeps_the_state() -> None:
    headers = Headers([("TraceParent", f"00-{TRACE}-{SPAN}-01"), ("tracestate", "a=1"), ("tracestate", "b=2")])

    replace_parent(headers, TraceParent(TRACE, SPAN, "01"), OWN)

    assert headers.get_all("traceparent") == [OWN.text]
    assert headers.get_all("tracestate") == ["a=1", "b=2"]


@pytest.mark.parametrize(("parent", "state"), [(None, "a=1"), (TraceParent(TRACE, SPAN, "01"), "a=" + "1" * 600)])
def test_the_state_of_a_trace_that_is_not_valid_or_is_too_long_goes(parent: TraceParent | None, state: str) -> None:
    headers = Headers([("traceparent", "nonsense"), ("tracestate", state)])

    replace_parent(headers, parent, None)

    assert not headers.has("traceparent")
    assert not headers.has("tracestate")


def test_a_new_span_of_the_edge_stands_in_the_trace_of_the_client() -> None:
    headers = Headers([("traceparent", f"00-{TRACE}-{SPAN}-01"), ("tracestate", "a=1")])

    renew_parent(headers, "00f067aa0ba902b7")

    assert headers.get("traceparent") == f"00-{TRACE}-00f067aa0ba902b7-01"
    assert headers.get("tracestate") == "a=1"


async def test_the_origin_gets_the_span_of_the_edge_and_nothing_that_is_not_valid(tmp_path: Path) -> None:
    made = await make(tmp_path, Config(zones=(Zone("example.com", origin="http://origin"),)), {})

    for value in (f"00-{TRACE}-{SPAN}-01", "nonsense"):
        await made.get("http://example.com/", headers={"traceparent": value, "tracestate": "a=1"})

    valid, invalid = (request.headers for request in made.origins["http://origin"].requests)
    sent = parse_traceparent(valid.get_all("traceparent"))
    assert sent is not None
    assert (sent.trace_id, sent.span_id != SPAN, valid.get("tracestate")) == (TRACE, True, "a=1")
    assert not invalid.has("traceparent")
    assert not invalid.has("tracestate")
