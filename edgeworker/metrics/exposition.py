"""The counts as text: for Prometheus, and a few lines for people. Pure.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from collections.abc import Iterator
from typing import Final

import edgeworker
from edgeworker.metrics.counters import BUCKETS, Counters

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def prometheus_text(counters: Counters, *, processes: int) -> str:
    return "".join(f"{line}\n" for line in _lines(counters, processes))


def _lines(counters: Counters, processes: int) -> Iterator[str]:
    yield from _head("edgeworker_info", "gauge", "The version that runs.")
    yield f'edgeworker_info{{version="{edgeworker.__version__}"}} 1'
    yield from _single("edgeworker_start_time_seconds", "gauge", "When the edge started.", counters.started_at)
    yield from _single("edgeworker_processes", "gauge", "Processes that serve.", processes)
    yield from _head("edgeworker_requests_total", "counter", "Requests answered, by what answered them.")
    for (method, status, name), count in sorted(counters.requests.items()):
        labels = f'method="{_escape(method)}",status="{status}",served_by="{_escape(name)}"'
        yield f"edgeworker_requests_total{{{labels}}} {count}"
    yield from _head("edgeworker_request_duration_seconds", "histogram", "From the head of a request to its last byte.")
    for name, durations in sorted(counters.durations.items()):
        label, below = f'served_by="{_escape(name)}"', 0
        for bound, count in zip((*map(repr, BUCKETS), "+Inf"), durations.counts, strict=True):
            below += count
            yield f'edgeworker_request_duration_seconds_bucket{{{label},le="{bound}"}} {below}'
        yield f"edgeworker_request_duration_seconds_sum{{{label}}} {durations.total!r}"
        yield f"edgeworker_request_duration_seconds_count{{{label}}} {below}"
    yield from _single("edgeworker_requests_in_flight", "gauge", "Requests under way.", counters.in_flight)
    yield from _single("edgeworker_sent_bytes_total", "counter", "Bytes of response bodies.", counters.sent_bytes)
    yield from _single("edgeworker_cut_responses_total", "counter", "Responses that did not end.", counters.cut)
    yield from _single("edgeworker_reloads_total", "counter", "Reloads that took effect.", counters.reloads)
    yield from _single("edgeworker_failed_reloads_total", "counter", "Reloads refused.", counters.failed_reloads)
    yield from _single(
        "edgeworker_last_reload_time_seconds", "gauge", "The last reload; 0 for none.", counters.last_reload_at
    )


def status_text(counters: Counters, *, processes: int, now: int) -> str:
    """For those without Prometheus."""
    total = sum(counters.requests.values())
    by_class = {kind: 0 for kind in (2, 3, 4, 5)}
    for (_, status, _), count in counters.requests.items():
        if status // 100 in by_class:
            by_class[status // 100] += count
    shown = ", ".join(f"{count} {kind}xx" for kind, count in by_class.items())
    uptime = max(0, now - counters.started_at)
    lines = [
        f"edgeworker {edgeworker.__version__}, up {uptime} s, {processes} process(es)",
        f"requests  {total} ({shown}), {counters.in_flight} under way, {counters.cut} cut",
        f"reloads   {counters.reloads}, {counters.failed_reloads} refused",
    ]
    for name, durations in sorted(counters.durations.items()):
        count = sum(durations.counts)
        lines.append(f"{name:20} {count} requests, {1000 * durations.total / max(1, count):.1f} ms on average")
    return "".join(f"{line}\n" for line in lines)


def _single(name: str, kind: str, text: str, value: float) -> Iterator[str]:
    yield from _head(name, kind, text)
    yield f"{name} {value}"


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
