"""W3C Trace Context: which trace a request belongs to, and the edge as a span in it. Pure.

Source: https://www.w3.org/TR/trace-context/
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from edgeworker.messages import Headers, Request, Response

# A later version may have more parts after these four: they are read as those of version 00, and not passed on.
_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_MOST_STATE_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class TraceParent:
    """All three are lower-case hexadecimal digits. `flags` "01": the sender recorded it."""

    trace_id: str
    span_id: str
    flags: str

    @property
    def text(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


class RequestSpan(Protocol):
    """A request on its way through the edge, as a trace has it."""

    @property
    def context(self) -> TraceParent:
        """What is behind the edge has this span as its parent."""
        ...

    def end(self, response: Response | None) -> None:
        """The head of the response is there, or there is none."""
        ...


class RequestSpans(Protocol):
    """Records spans, see edgeworker.host.telemetry."""

    def begin(self, request: Request, parent: TraceParent | None) -> RequestSpan: ...


def parse_traceparent(values: Sequence[str]) -> TraceParent | None:
    """None where there is none, or not exactly one that is valid: then a trace begins anew."""
    if len(values) != 1:
        return None
    found = _TRACEPARENT.fullmatch(values[0])
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not trace_id.strip("0") or not span_id.strip("0"):
        return None
    sampled = int(flags, 16) & 1
    return TraceParent(trace_id, span_id, f"{sampled:02x}")


def replace_parent(headers: Headers, parent: TraceParent | None, own: TraceParent | None) -> None:
    """What is behind the edge sees `own` as its parent, or no trace. The state of a trace that is not valid, or is too
    long, goes too."""
    states = headers.get_all("tracestate")
    headers.delete("traceparent")
    if own is not None:
        headers.append("traceparent", own.text)
    if states and (parent is None or sum(map(len, states)) > _MOST_STATE_BYTES):
        headers.delete("tracestate")


def renew_parent(headers: Headers, span_id: str) -> None:
    """The edge as a span of its own, `span_id`, in the trace that a client is in."""
    parent = parse_traceparent(headers.get_all("traceparent"))
    replace_parent(headers, parent, None if parent is None else replace(parent, span_id=span_id))
