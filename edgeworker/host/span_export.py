"""How spans leave this process: one warning where the collector takes none. Loads OpenTelemetry's SDK."""

import logging
import threading
from collections.abc import Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

_log = logging.getLogger(__name__)

# A stop waits no longer for a collector: what listens in place of this process may be started after it.
_LAST_SECONDS: Final = 5.0
_LONGEST_REASON: Final = 500
# Which tells for each batch, and each retry of one, that it failed.
_EXPORTER_LOGGER: Final = trace_exporter.__name__
_QUEUE_LOGGER: Final = "opentelemetry.sdk._shared_internal"


class TellingExporter(SpanExporter):
    """Tells once that spans are lost, and once that they are sent again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        _reasons.first = ""
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            if not self._lost:
                why = _reasons.first or "the exporter failed"
                _log.warning("The collector takes no spans, and they are lost until it does: %s", why)
            self._lost += len(spans)
        elif self._lost:
            _log.info("The collector takes spans again; at least %d were lost.", self._lost)
            self._lost = 0
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class _Reasons(logging.Filter):
    """Keeps the first reason that the exporter logs for a batch, and lets none of them into the log."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == _QUEUE_LOGGER:
            return record.levelno > logging.WARNING  # "Queue full"
        self.first = self.first or record.getMessage()[:_LONGEST_REASON]
        return False


_reasons: Final = _Reasons()  # a logger takes it once


def open_provider(exporter: SpanExporter | None, *, is_named: bool) -> TracerProvider:
    """The standard variables configure it; without them the service's name is ours."""
    for name in (_EXPORTER_LOGGER, _QUEUE_LOGGER):
        logging.getLogger(name).addFilter(_reasons)
    resource = Resource.create({} if is_named else {"service.name": "edgeworker"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    own = exporter or trace_exporter.OTLPSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(TellingExporter(own)))
    return provider


def close_provider(provider: TracerProvider) -> None:
    """Send what waits, in the time that there is for it. A thread that still waits then ends with the process."""
    closing = threading.Thread(target=provider.shutdown, daemon=True)
    closing.start()
    closing.join(_LAST_SECONDS)
