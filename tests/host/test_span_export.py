"""What is told of a collector that takes no spans, and that a stop does not wait for it."""

import logging
import threading
from collections.abc import Sequence

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from edgeworker.host import span_export
from edgeworker.host.span_export import TellingExporter, close_provider, open_provider
from edgeworker.host.telemetry import Telemetry
from edgeworker.messages import URL, Request, Response
from tests.patience import PATIENCE_SECONDS

LIBRARY = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")


class Collector(SpanExporter):
    """Takes spans, or logs that it does not, as OpenTelemetry's exporter."""

    def __init__(self) -> None:
        self.takes = True
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if not self.takes:
            LIBRARY.warning("Transient error: connection refused, retrying in 1s.")
            LIBRARY.error("Failed to export spans batch due to timeout, max retries or shutdown.")
            return SpanExportResult.FAILURE
        self.taken += len(spans)
        return SpanExportResult.SUCCESS


class StuckCollector(SpanExporter):
    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answers = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked.set()
        self.answers.wait(PATIENCE_SECONDS)
        return SpanExportResult.SUCCESS


def test_that_spans_are_lost_is_told_once_with_the_reason_and_once_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    collector = Collector()
    provider = open_provider(collector, is_named=False)
    tracer = provider.get_tracer("test")

    def send(*, takes: bool) -> None:
        collector.takes = takes
        tracer.start_span("a").end()
        provider.force_flush()

    try:
        for takes in (True, False, False, True, True):
            send(takes=takes)
    finally:
        close_provider(provider)

    assert [record.getMessage() for record in caplog.records] == [
        "The collector takes no spans, and they are lost until it does: Transient error: connection refused, "
        "retrying in 1s.",
        "The collector takes spans again; at least 2 were lost.",
    ]
    assert collector.taken == 3


def test_a_full_queue_is_not_told_again_and_a_fault_of_the_library_is(caplog: pytest.LogCaptureFixture) -> None:
    provider = open_provider(Collector(), is_named=False)
    close_provider(provider)
    queue = logging.getLogger("opentelemetry.sdk._shared_internal")

    queue.warning("Queue full, dropping Span.")
    queue.error("a fault")

    assert [record.getMessage() for record in caplog.records] == ["a fault"]


def test_a_stop_does_not_wait_for_a_collector_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_export, "_LAST_SECONDS", 0.01)
    collector = StuckCollector()
    telemetry = Telemetry.open({"OTEL_TRACES_EXPORTER": "otlp"}, collector)
    assert telemetry is not None
    telemetry.begin(Request("GET", URL.parse("http://a.example/")), None).end(Response(503))
    # It is stuck with one batch while the edge stops.
    flushing = threading.Thread(target=telemetry._provider.force_flush)
    flushing.start()
    assert collector.asked.wait(PATIENCE_SECONDS)

    telemetry.close()

    assert not collector.answers.is_set()
    assert flushing.is_alive()
    collector.answers.set()
    flushing.join()


def test_an_exporter_without_a_reason_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    class Silent(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return SpanExportResult.FAILURE

    TellingExporter(Silent()).export([])

    assert "they are lost until it does: the exporter failed" in caplog.text
