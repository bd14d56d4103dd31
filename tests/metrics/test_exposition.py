"""The counts as Prometheus and as people read them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edgeworker.metrics.counters import Counters
from edgeworker.metrics.exposition import prometheus_text, status_text
from edgeworker.metrics.origin_report import OriginReport
from tests.metrics.test_counters import record


def counted() -> Counters:
    counters = Counters(started_at=100, in_flight=2, processes=2)
    counters.add_request(record())
    counters.add_request(record(status=502, seconds=30.0, served_by='o"r\\'))
    return counters


def test_prometheus_reads_counters_and_histograms() -> None:
    lines = prometheus_text(counted()).splitlines()

    assert 'edgeworker_requests_total{method="GET",status="200",served_by="shop"} 1' in lines
    assert 'edgeworker_requests_total{method="GET",status="502",served_by="o\\"r\\\\"} 1' in lines
    assert 'edgeworker_request_duration_seconds_bucket{served_by="shop",le="0.01"} 0' in lines
    assert 'edgeworker_request_duration_seconds_bucket{served_by="shop",le="0.025"} 1' in lines
    assert 'edgeworker_request_duration_seconds_bucket{served_by="shop",le="+Inf"} 1' in lines
    assert 'edgeworker_request_duration_seconds_count{served_by="shop"} 1' in lines
    assert "edgeworker_processes 2" in lines
    assert "edgeworker_requests_in_flight 2" in lines
    names = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert all(line.startswith(("#", *names)) for line in lines)


def test_people_get_a_few_lines() -> None:
    assert status_text(counted(), now=160).splitlines()[1:3] == [
        "requests  2 (1 2xx, 0 3xx, 0 4xx, 1 5xx), 2 under way, 0 cut",
        "reloads   0 (one of each process), 0 refused",
    ]


def _other_counts() -> Counters:
    counters = Counters(kv_found=3, kv_missing=1, certificate_ends=1000 + 3 * 86_400, signs_since=1000 - 7200)
    counters.key_imports = {("example.com", 'a "b"'): 1000 - 86_400}
    for result in ("accepted", "refused", "accepted"):
        counters.add_request(record(token=result))
    counters.origins["example.com", 'http://a"b'] = OriginReport("example.com", 'http://a"b', requests=2, healthy=0)
    return counters


def test_tokens_keys_certificates_and_origins_are_told_to_prometheus() -> None:
    text = prometheus_text(_other_counts())

    for line in (
        'edgeworker_tokens_total{result="accepted"} 2',
        'edgeworker_kv_reads_total{result="found"} 3',
        'edgeworker_kv_reads_total{result="missing"} 1',
        f"edgeworker_certificate_expiry_time_seconds {1000 + 3 * 86_400}",
        f"edgeworker_signing_key_time_seconds {1000 - 7200}",
        f'edgeworker_imported_keys_time_seconds{{zone="example.com",configuration="a \\"b\\""}} {1000 - 86_400}',
        'edgeworker_origin_healthy{load_balancer="example.com",origin="http://a\\"b"} 0',
        'edgeworker_origin_requests_total{load_balancer="example.com",origin="http://a\\"b"} 2',
    ):
        assert f"\n{line}\n" in text


def test_what_there_is_none_of_is_not_told() -> None:
    text = prometheus_text(Counters())

    assert "certificate" not in text
    assert "signing_key" not in text
    assert "imported_keys" not in text


def test_people_read_the_same() -> None:
    text = status_text(_other_counts(), now=1000)

    assert "tokens    2 accepted, 1 refused\n" in text
    assert "KV reads  3 found, 1 missing\n" in text
    assert "https     a certificate ends in 3 d\n" in text
    assert "keys      the oldest one in use has signed for 2 h\n" in text
    assert 'keys      of "a "b"" (example.com) were imported 24 h ago\n' in text
    assert 'origin    http://a"b  healthy in 0 of 1, 2 requests, 0 failed, 0.0 ms\n' in text


def test_an_ended_certificate_and_a_clock_that_was_set_back_are_told_without_nonsense() -> None:
    counters = Counters(certificate_ends=900, signs_since=5000, last_reload_at=5000)

    text = status_text(counters, now=1000)

    assert "a certificate ended 100 s ago" in text
    assert "has signed for 0 s" in text
    assert "last reload 0 s ago" in text


def _page() -> str:
    return Path(__file__).parents[2].joinpath("edgeworker", "ON_PREM.md").read_text("utf-8")


def _rules() -> str:
    (rules,) = re.findall(r"```yaml\n(# prometheus.yml.*?)```", _page(), re.DOTALL)
    return str(rules)


def _names(text: str) -> set[str]:
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))


def test_the_page_for_operators_has_each_metric_and_its_rules_ask_for_no_other() -> None:
    shown = _names(prometheus_text(_other_counts()))
    table = _page().partition("## Metrics")[2].partition("```yaml")[0]

    assert set(re.findall(r"`(edgeworker_\w+)", table)) == shown
    assert {re.sub("_bucket$", "", name) for name in re.findall(r"edgeworker_\w+", _rules())} <= shown


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian's package prometheus) is not installed")
@pytest.mark.parametrize("what", ["metrics", "rules"])
def test_prometheus_itself_finds_no_fault(tmp_path: Path, what: str) -> None:
    text = {"metrics": prometheus_text(_other_counts()), "rules": _rules()}[what]
    file = tmp_path / "rules.yml"
    file.write_text(text)

    with file.open() as given:
        command = ["promtool", "check", what, *([str(file)] if what == "rules" else [])]
        done = subprocess.run(command, stdin=given, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
