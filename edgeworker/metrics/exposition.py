"""The counts as text: for Prometheus, and a few lines for people. Pure.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from collections.abc import Iterator
from typing import Final

import edgeworker
from edgeworker.durations import BUCKETS, Durations
from edgeworker.metrics.counters import Counters

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def prometheus_text(counters: Counters) -> str:
    return "".join(f"{line}\n" for line in _lines(counters))


def _lines(counters: Counters) -> Iterator[str]:
    yield from _head("edgeworker_info", "gauge", "The version that runs.")
    yield f'edgeworker_info{{version="{edgeworker.__version__}"}} 1'
    yield from _single("edgeworker_start_time_seconds", "gauge", "When the edge started.", counters.started_at)
    yield from _single("edgeworker_processes", "gauge", "Processes that serve.", counters.processes)
    yield from _head("edgeworker_requests_total", "counter", "Requests answered, by what answered them.")
    for (method, status, name), count in sorted(counters.requests.items()):
        labels = f'method="{_escape(method)}",status="{status}",served_by="{_escape(name)}"'
        yield f"edgeworker_requests_total{{{labels}}} {count}"
    yield from _head("edgeworker_request_duration_seconds", "histogram", "From the head of a request to its last byte.")
    for name, durations in sorted(counters.durations.items()):
        yield from _histogram("edgeworker_request_duration_seconds", f'served_by="{_escape(name)}"', durations)
    yield from _single("edgeworker_requests_in_flight", "gauge", "Requests under way.", counters.in_flight)
    yield from _single("edgeworker_sent_bytes_total", "counter", "Bytes of response bodies.", counters.sent_bytes)
    yield from _single("edgeworker_cut_responses_total", "counter", "Responses that did not end.", counters.cut)
    yield from _single(
        "edgeworker_reloads_total", "counter", "Reloads that took effect, one of each process.", counters.reloads
    )
    yield from _single("edgeworker_failed_reloads_total", "counter", "Reloads refused.", counters.failed_reloads)
    yield from _single(
        "edgeworker_last_reload_time_seconds", "gauge", "The last reload; 0 for none.", counters.last_reload_at
    )
    yield from _head(
        "edgeworker_tokens_total", "counter", "Tokens that clients showed or lacked, by what became of it."
    )
    for result, count in sorted(counters.tokens.items()):
        yield f'edgeworker_tokens_total{{result="{_escape(result)}"}} {count}'
    yield from _head("edgeworker_kv_reads_total", "counter", "Keys that workers read.")
    yield f'edgeworker_kv_reads_total{{result="found"}} {counters.kv_found}'
    yield f'edgeworker_kv_reads_total{{result="missing"}} {counters.kv_missing}'
    if counters.certificate_ends:
        text = "When the certificate ends that ends first."
        yield from _single("edgeworker_certificate_expiry_time_seconds", "gauge", text, counters.certificate_ends)
    if counters.signs_since:
        text = "Since when the oldest signing key in use signs."
        yield from _single("edgeworker_signing_key_time_seconds", "gauge", text, counters.signs_since)
    if counters.key_imports:
        text = "When the keys that verify tokens were imported (written, where they are in a file)."
        yield from _head("edgeworker_imported_keys_time_seconds", "gauge", text)
        for (zone, name), imported_at in sorted(counters.key_imports.items()):
            labels = f'zone="{_escape(zone)}",configuration="{_escape(name)}"'
            yield f"edgeworker_imported_keys_time_seconds{{{labels}}} {imported_at}"
    yield from _origin_lines(counters)


def _origin_lines(counters: Counters) -> Iterator[str]:
    """Bounded by the configuration. An origin that stands alone has `load_balancer=""` and no health."""
    reports = sorted(counters.origins.items())
    balanced = [pair for pair in reports if pair[0][0]]
    yield from _head("edgeworker_origin_healthy", "gauge", "1 if every process sends requests there.")
    for key, report in balanced:
        yield f"edgeworker_origin_healthy{{{_origin_labels(key)}}} {int(report.healthy == report.processes)}"
    yield from _head("edgeworker_origin_requests_in_flight", "gauge", "Requests under way to the origin.")
    for key, report in balanced:
        yield f"edgeworker_origin_requests_in_flight{{{_origin_labels(key)}}} {report.in_use}"
    yield from _head("edgeworker_origin_requests_total", "counter", "Requests sent to the origin, retries among them.")
    for key, report in reports:
        yield f"edgeworker_origin_requests_total{{{_origin_labels(key)}}} {report.requests}"
    yield from _head("edgeworker_origin_failures_total", "counter", "Requests that the origin did not answer.")
    for key, report in reports:
        yield f"edgeworker_origin_failures_total{{{_origin_labels(key)}}} {report.failures}"
    yield from _head("edgeworker_origin_response_seconds", "histogram", "Up to the head of the origin's answer.")
    for key, report in reports:
        yield from _histogram("edgeworker_origin_response_seconds", _origin_labels(key), report.durations)


def _origin_labels(key: tuple[str, str]) -> str:
    return f'load_balancer="{_escape(key[0])}",origin="{_escape(key[1])}"'


def _histogram(name: str, labels: str, durations: Durations) -> Iterator[str]:
    below = 0
    for bound, count in zip((*map(repr, BUCKETS), "+Inf"), durations.counts, strict=True):
        below += count
        yield f'{name}_bucket{{{labels},le="{bound}"}} {below}'
    yield f"{name}_sum{{{labels}}} {durations.total!r}"
    yield f"{name}_count{{{labels}}} {below}"


def status_text(counters: Counters, *, now: int) -> str:
    """For those without Prometheus."""
    total = sum(counters.requests.values())
    by_class = {kind: 0 for kind in (2, 3, 4, 5)}
    for (_, status, _), count in counters.requests.items():
        if status // 100 in by_class:
            by_class[status // 100] += count
    shown = ", ".join(f"{count} {kind}xx" for kind, count in by_class.items())
    uptime = max(0, now - counters.started_at)
    lines = [
        f"edgeworker {edgeworker.__version__}, up {uptime} s, {counters.processes} process(es)",
        f"requests  {total} ({shown}), {counters.in_flight} under way, {counters.cut} cut",
        f"reloads   {counters.reloads} (one of each process), {counters.failed_reloads} refused",
    ]
    if counters.tokens:
        shown = ", ".join(f"{count} {result}" for result, count in sorted(counters.tokens.items()))
        lines.append(f"tokens    {shown}")
    lines.append(f"KV reads  {counters.kv_found} found, {counters.kv_missing} missing")
    if counters.last_reload_at:
        lines.append(f"last reload {_ago(now - counters.last_reload_at)} ago")
    if counters.certificate_ends:
        left = counters.certificate_ends - now
        lines.append(f"https     a certificate {f'ends in {_ago(left)}' if left > 0 else f'ended {_ago(-left)} ago'}")
    if counters.signs_since:
        lines.append(f"keys      the oldest one in use has signed for {_ago(now - counters.signs_since)}")
    for (zone, name), imported_at in sorted(counters.key_imports.items()):
        lines.append(f'keys      of "{name}" ({zone}) were imported {_ago(now - imported_at)} ago')
    for (balancer, url), report in sorted(counters.origins.items()):
        state = f"healthy in {report.healthy} of {report.processes}, " if balancer else ""
        average = 1000 * report.durations.total / max(1, sum(report.durations.counts))
        lines.append(f"origin    {url}  {state}{report.requests} requests, {report.failures} failed, {average:.1f} ms")
    for name, durations in sorted(counters.durations.items()):
        count = sum(durations.counts)
        lines.append(f"{name:20} {count} requests, {1000 * durations.total / max(1, count):.1f} ms on average")
    return "".join(f"{line}\n" for line in lines)


def _ago(seconds: int) -> str:
    """In the largest unit that says something; never less than 0, where a clock was set back."""
    seconds = max(0, seconds)
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _single(name: str, kind: str, text: str, value: float) -> Iterator[str]:
    yield from _head(name, kind, text)
    yield f"{name} {value}"


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
