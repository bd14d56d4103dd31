"""Spans over OTLP, against a collector on a real socket."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from edgeworker.errors import ConfigError
from edgeworker.host.telemetry import Telemetry, is_configured
from tests.cli.running import environment, fetch, run
from tests.cli.serve.serving import serve

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
EDGE = """\
[[zones]]
name = "example.com"
routes_without_worker = ["example.com/*"]
origin = "{origin}"
"""


class Site:
    """A server that answers everything, and keeps what it was asked."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.headers.append({name.lower(): value for name, value in self.headers.items()})
                site.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self) -> list[Span]:
        found = []
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                assert any(
                    one.key == "service.name" and one.value.string_value == "gateway"
                    for one in resource.resource.attributes
                )
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


@contextmanager
def sites(count: int) -> Iterator[list[Site]]:
    made = [Site() for _ in range(count)]
    try:
        yield made
    finally:
        for site in made:
            site.server.shutdown()
            site.server.server_close()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_each_request_is_a_span_in_the_trace_of_its_client_and_the_parent_of_what_the_origin_does(
    tmp_path: Path, processes: str
) -> None:
    with sites(2) as (origin, collector):
        edge = tmp_path / "edge.toml"
        edge.write_text(EDGE.format(origin=origin.url))
        env = environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_SERVICE_NAME="gateway", OTEL_BSP_SCHEDULE_DELAY="50"
        )
        with serve("--edge", str(edge), "--processes", processes, "--no-cron", cwd=tmp_path, env=env) as served:
            headers = {"Host": "example.com", "Authorization": "Bearer SECRET", "Cookie": "a=SECRET"}
            parent = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
            inside = fetch(f"{served.urls['edge']}/orders?token=SECRET", headers={**headers, **parent})
            fetch(f"{served.urls['edge']}/cdn-cgi/none", headers=headers)
            assert served.stop() == 0  # what waits is sent
        spans = {span.attributes[2].value.string_value: span for span in collector.spans()}

    orders, refused = spans["/orders"], spans["/cdn-cgi/none"]
    assert (orders.trace_id.hex(), orders.parent_span_id.hex(), orders.kind) == (TRACE, SPAN, Span.SPAN_KIND_SERVER)
    assert origin.headers[0]["traceparent"] == f"00-{TRACE}-{orders.span_id.hex()}-01"
    assert (refused.parent_span_id, refused.trace_id.hex() != TRACE) == (b"", True)
    attributes = {one.key: one.value.string_value or one.value.int_value for one in orders.attributes}
    assert attributes == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/orders",
        "server.address": "example.com",
        "server.port": 80,
        "edgeworker.ray": inside.headers["cf-ray"],
        "http.response.status_code": 200,
        "edgeworker.served_by": "origin",
        "edgeworker.token_result": "accepted",
    }
    assert not any(b"SECRET" in body for body in collector.bodies)


def test_a_collector_that_is_not_there_costs_no_request(tmp_path: Path) -> None:
    with sites(1) as (origin,):
        edge = tmp_path / "edge.toml"
        edge.write_text(EDGE.format(origin=origin.url))
        env = environment(
            OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1",
            OTEL_BSP_SCHEDULE_DELAY="50",
            OTEL_EXPORTER_OTLP_TIMEOUT="1",
        )
        with serve("--edge", str(edge), "--no-cron", cwd=tmp_path, env=env) as served:
            assert {served.get().status for _ in range(5)} == {200}
            served.wait_for("The collector takes no spans")
            assert {served.get().status for _ in range(5)} == {200}
            assert served.stop() == 0
            served.process.wait()
            served.drain()

    said = "".join(served.said)
    assert said.count("The collector takes no spans") == 1
    assert "opentelemetry" not in said.replace("/v1/traces", "")


@pytest.mark.parametrize(
    ("environ", "configured"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
    ],
    ids=["nothing", "endpoint", "endpoint of traces", "exporter", "no exporter", "disabled", "empty"],
)
def test_it_is_off_unless_the_standard_variables_configure_it(environ: dict[str, str], configured: bool) -> None:
    assert is_configured(environ) is configured


@pytest.mark.parametrize(
    ("environ", "text"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, 'OTEL_TRACES_EXPORTER "zipkin" is not known here; use "otlp"'),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            'the OTLP protocol "grpc" is not spoken here; use OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
        ),
    ],
    ids=["exporter", "protocol"],
)
def test_what_cannot_be_done_is_told(environ: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Telemetry.open(environ)


def test_what_cannot_be_done_is_told_before_a_process_starts(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(EDGE.format(origin="http://127.0.0.1:1"))

    env = environment(OTEL_TRACES_EXPORTER="zipkin")
    done = run("serve", "--edge", "edge.toml", "--processes", "2", cwd=tmp_path, env=env)

    assert done.returncode == 1
    assert done.stderr.startswith('error: OTEL_TRACES_EXPORTER "zipkin" is not known here')
    assert done.stderr.count("\n") == 1


def test_without_the_extra_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "edgeworker.host.span_export", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http", None)

    with pytest.raises(ConfigError, match="OTEL_\\* variables ask for spans, which need an extra"):
        Telemetry.open({"OTEL_TRACES_EXPORTER": "otlp"})
    assert Telemetry.open({}) is None
