"""What the benchmark prints: table, chart, and where they are put."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from tests.bench.figures import Figures, chart, markdown, replace_between
from tests.bench.verdicts import verdicts

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
