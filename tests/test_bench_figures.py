"""What the benchmark prints: table, chart, and where they are put."""

import xml.etree.ElementTree as ElementTree

import pytest

from tests.bench.figures import Figures, chart, markdown, replace_between

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
