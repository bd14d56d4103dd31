"""Spans of requests over OTLP: the extra `edgeworker[otel]`, off unless the standard OTEL_* variables configure it.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_SERVICE_NAME=gateway edgeworker serve ...

A span has the method, the host, the path without its query, the status, what answered and the ray id; never a header, a
token or an address. It begins with the request's head and ends with that of the answer.
Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Self

from edgeworker.edge.trace_context import TraceParent
from edgeworker.errors import ConfigError
from edgeworker.messages import Request, Response

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})


def is_configured(environ: Mapping[str, str]) -> bool:
    """Whether spans are to be exported. Raises ConfigError for what this edge cannot do."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter == "none" or not (exporter or any(environ.get(name) for name in _ENDPOINTS)):
        return False
    if exporter not in ("", "otlp"):
        raise ConfigError(f'OTEL_TRACES_EXPORTER "{exporter}" is not known here; use "otlp", or "none" for no spans')
    protocol = next((environ[name] for name in _PROTOCOLS if environ.get(name)), "http/protobuf")
    if protocol != "http/protobuf":
        raise ConfigError(
            f'the OTLP protocol "{protocol}" is not spoken here; use OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf'
        )
    return True


def check(environ: Mapping[str, str]) -> bool:
    """As `is_configured`, and loads what spans need: once, for all processes that are forked from this one."""
    if not is_configured(environ):
        return False
    try:
        importlib.import_module("edgeworker.host.span_export")
    except ImportError as error:
        raise ConfigError(
            "OTEL_* variables ask for spans, which need an extra: pip install 'edgeworker[otel]', or set "
            "OTEL_SDK_DISABLED=true"
        ) from error
    return True


class Telemetry:
    """RequestSpans of one process. Make it after a fork: a thread of its own sends the spans."""

    def __init__(self, provider: "TracerProvider") -> None:
        """Use `open`."""
        self._provider = provider
        self._tracer: Tracer = provider.get_tracer("edgeworker")

    @classmethod
    def open(cls, environ: Mapping[str, str], exporter: "SpanExporter | None" = None) -> Self | None:
        """None where nothing is configured. The libraries read the variables themselves. Raises ConfigError."""
        if not check(environ):
            return None
        from edgeworker.host.span_export import open_provider

        named = "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        return cls(open_provider(exporter, is_named=named or bool(environ.get("OTEL_SERVICE_NAME"))))

    def begin(self, request: Request, parent: TraceParent | None) -> "OpenSpan":
        from opentelemetry import trace

        url = request.url
        method = request.method if request.method in _METHODS else "_OTHER"
        context = None
        if parent is not None:
            remote = trace.SpanContext(
                int(parent.trace_id, 16), int(parent.span_id, 16), True, trace.TraceFlags(int(parent.flags, 16))
            )
            context = trace.set_span_in_context(trace.NonRecordingSpan(remote))
        span = self._tracer.start_span(
            method if method != "_OTHER" else "HTTP",
            context=context,
            kind=trace.SpanKind.SERVER,
            attributes={
                "http.request.method": method,
                "url.scheme": url.scheme,
                "url.path": url.path,
                "server.address": url.hostname,
                "server.port": url.port,
                "edgeworker.ray": request.headers.get("cf-ray") or "",
            },
        )
        return OpenSpan(span)

    def close(self) -> None:
        """Sends what waits, for 5 seconds at most: a stop does not wait for a collector that does not answer."""
        from edgeworker.host.span_export import close_provider

        close_provider(self._provider)


class OpenSpan:
    __slots__ = ("_span",)

    def __init__(self, span: "Span") -> None:
        self._span = span

    @property
    def context(self) -> TraceParent:
        context = self._span.get_span_context()
        return TraceParent(f"{context.trace_id:032x}", f"{context.span_id:016x}", f"{int(context.trace_flags) & 1:02x}")

    def end(self, response: Response | None) -> None:
        from opentelemetry.trace import StatusCode

        status = 500 if response is None else response.status
        self._span.set_attribute("http.response.status_code", status)
        if response is not None:
            self._span.set_attribute("edgeworker.served_by", response.served_by or "edge")
            if response.token_result:
                self._span.set_attribute("edgeworker.token_result", response.token_result)
        if status >= 500:
            self._span.set_attribute("error.type", str(status))
            self._span.set_status(StatusCode.ERROR)
        self._span.end()
