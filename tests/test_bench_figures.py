"""What the benchmark prints: table, chart, and where they are put."""

import argparse
import http.server
import re
import threading
import xml.etree.ElementTree as ElementTree
from contextlib import nullcontext
from dataclasses import replace

import pytest

from tests.bench import cases, load
from tests.bench.figures import Figures, chart, markdown, replace_between
from tests.bench.gateway import Gateway
from tests.bench.verdicts import CASE_TARGETS, verdicts, why_no_verdict

NGINX = Figures("nginx + lua", 38000, 1.4, 3.4, 21, 19, 0.03, 0, 0.1)
OURS = Figures("edgeworker dev", 6000, 10.5, 16, 147, 44, None, 0, 0.1)


def test_the_table_compares_cpu_time_with_the_reference() -> None:
    assert markdown([NGINX, OURS], "nginx + lua").splitlines()[3].endswith("| 147 | 44 |  | 7.0 |")


def test_the_chart_is_xml_with_a_bar_for_each_gateway() -> None:
    root = ElementTree.fromstring(chart([NGINX, OURS]))

    assert len(root.findall("{http://www.w3.org/2000/svg}rect")) == 2


def test_what_is_between_two_lines_is_replaced() -> None:
    assert replace_between("a\n<x>\nold\n</x>\nb\n", "<x>", "</x>", "new\n") == "a\n<x>\nnew\n</x>\nb\n"
    with pytest.raises(ValueError, match="<y>"):
        replace_between("a", "<y>", "</y>", "")


def test_a_verdict_is_given_for_each_form_that_was_measured() -> None:
    compiled = replace(OURS, name="edgeworker dev, compiled", cpu_us=42.0, start_seconds=0.2)

    assert [line for line in verdicts([NGINX, OURS, compiled]) if "CPU" in line or "start" in line] == [
        "edgeworker dev: CPU, times nginx + lua 7.00 (MISSES the target of at most 2.8)",
        "edgeworker dev, compiled: CPU, times nginx + lua 2.00 (within the target of at most 2.8)",
        "edgeworker dev, compiled: start to first answer, s 0.20 (within the target of at most 0.3)",
    ]


def test_two_processes_are_compared_with_one_of_the_same_form() -> None:
    one, two = replace(OURS, name="edgeworker serve, 1 process"), replace(OURS, name="edgeworker serve, 2 processes")
    compiled = replace(two, name="edgeworker serve, 2 processes, compiled", per_second=12_000)
    compiled_one = replace(one, name="edgeworker serve, 1 process, compiled", per_second=6_000)

    assert [
        line for line in verdicts([one, two, compiled_one, compiled]) if "1 process 1" in line or "2.00" in line
    ] == [
        "edgeworker serve, 2 processes: requests/s, times 1 process 1.00 (MISSES the target of at least 1.7)",
        "edgeworker serve, 2 processes, compiled: requests/s, times 1 process 2.00 (within the target of at least 1.7)",
    ]


def test_what_was_not_measured_gets_no_verdict() -> None:
    assert verdicts([NGINX]) == []


def test_the_targets_of_cases_are_of_gateways_that_the_cases_start() -> None:
    started = {case.name for part in cases.PARTS.values() for case in part}
    started |= {f"{case.name}: {NGINX.name}" for part in cases.PARTS.values() for case in part if case.beside_nginx}

    assert {name for one in CASE_TARGETS for name in (one.gateway, one.beside)} <= started


def test_what_targets_compare_is_measured_in_one_part() -> None:
    for target in CASE_TARGETS:
        parts = [part for part in cases.PARTS.values() if any(case.name == target.gateway for case in part)]

        assert any(target.beside in (case.name, f"{case.name}: {NGINX.name}") for part in parts for case in part), (
            target.what
        )


def test_a_case_gets_a_verdict_for_each_form() -> None:
    one, many = replace(OURS, name="1 route"), replace(OURS, name="1,000 routes", cpu_us=160.0)
    compiled = [replace(one, name="1 route, compiled"), replace(many, name="1,000 routes, compiled", cpu_us=150.0)]

    assert verdicts([one, many, *compiled], CASE_TARGETS) == [
        "1,000 routes: CPU, times 1 route 1.09 (MISSES the target of at most 1.05)",
        "1,000 routes, compiled: CPU, times 1 route 1.02 (within the target of at most 1.05)",
    ]


def test_a_busy_machine_gets_no_verdict() -> None:
    busy = replace(OURS, name="1 route", spread=0.3)

    assert why_no_verdict([OURS, NGINX], rounds=3) is None
    assert "too few rounds" in (why_no_verdict([OURS, NGINX], rounds=2) or "")
    assert "1 route 30%" in (why_no_verdict([OURS, busy], rounds=3) or "")


def test_parts_of_the_cases_are_named() -> None:
    assert cases.parts_of("slow, routes") == ["slow", "routes"]
    assert cases.parts_of("") == list(cases.PARTS)
    with pytest.raises(argparse.ArgumentTypeError, match='"slwo" is not a part of the benchmark; use of usual, one'):
        cases.parts_of("slwo")


class _Orders(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.headers.get("Authorization") == "Bearer good" else 401)
        self.end_headers()
        self.wfile.write(b'{"orders": []}')

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize(
    ("work", "expected", "told"),
    [
        (load.Work(["good"]), b"orders", None),
        (load.Work(status=401), b"", None),
        (load.Work(["bad"]), b"orders", "it answers 401"),
        (load.Work(["good"]), b"hello", "and not 200 with b'hello' in it"),
    ],
    ids=["what is expected", "the status alone", "an error", "an origin that answers for a script"],
)
def test_what_does_another_thing_is_not_measured(work: load.Work, expected: bytes, told: str | None) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _Orders) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with nullcontext() if told is None else pytest.raises(SystemExit, match=re.escape(told)):
                cases.check_answer(Gateway("one", server.server_port, 0), work, expected)
        finally:
            server.shutdown()
            thread.join()
