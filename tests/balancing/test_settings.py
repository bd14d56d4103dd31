"""Load balancers in edge.toml: what is read, and what is refused with which text."""

import pytest

from edgeworker.balancing.settings import HealthMonitor, LoadBalancer, OriginServer, is_expected
from edgeworker.schema.diagnostics import Diagnostics
from tests.wrangler_compat.project import document
from wrangler_compat.edge_toml import read_edge

ZONE = '[[zones]]\nname = "example.com"\n[[zones.load_balancers]]\n'
ORIGIN = '[[zones.load_balancers.origins]]\nurl = "http://10.0.0.1:3000"\n'


def _read(text: str) -> tuple[tuple[LoadBalancer, ...], str]:
    diagnostics = Diagnostics()
    edge = read_edge(document(text, "edge.toml"), diagnostics)
    balancers = edge.zones[0].load_balancers if edge.zones else ()
    return balancers, diagnostics.render("error")


def test_a_load_balancer_is_read() -> None:
    text = (
        ZONE
        + 'host = "API.example.com"\nretries = 2\nfirst_byte_timeout_seconds = 3\n'
        + ORIGIN
        + "weight = 2\nmax_connections = 5\n"
        + '[[zones.load_balancers.origins]]\nurl = "http://10.0.0.2"\nbackup = true\n'
        + '[zones.load_balancers.monitor]\npath = "/health?deep=1"\n'
        + 'expected_status = "200, 3xx"\ninterval_seconds = 1\n'
    )

    balancers, errors = _read(text)

    assert errors == ""
    assert balancers == (
        LoadBalancer(
            (
                OriginServer("http://10.0.0.1:3000", weight=2, max_connections=5),
                OriginServer("http://10.0.0.2", backup=True),
            ),
            "api.example.com",
            HealthMonitor("/health?deep=1", expected_status="200, 3xx", interval_seconds=1.0),
            first_byte_timeout_seconds=3.0,
            retries=2,
        ),
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (ZONE, 'has no "origins": it must be an array of tables'),
        (ZONE + ORIGIN + "enabled = false\n", "has no origin that is enabled"),
        (ZONE + ORIGIN + ORIGIN, 'The origin "http://10.0.0.1:3000" stands twice'),
        (ZONE + ORIGIN + "weight = 0\n", "must be a whole number, 1 or more, not 0"),
        (ZONE + ORIGIN + "wieght = 1\n", 'Did you mean "weight"?'),
        (ZONE + '[[zones.load_balancers.origins]]\nurl = "http://a/path"\n', "without a path"),
        (ZONE + ORIGIN + '[zones.load_balancers.monitor]\npath = "health"\n', 'must be a path such as "/health"'),
        (ZONE + ORIGIN + '[zones.load_balancers.monitor]\npath = "/a\\r\\nb"\n', 'must be a path such as "/health"'),
        (ZONE + ORIGIN + '[zones.load_balancers.monitor]\nexpected_status = "ok"\n', 'statuses such as "2xx"'),
        (ZONE + ORIGIN + "[zones.load_balancers.monitor]\ninterval_seconds = 0.1\n", "must be 1 at least, not 0.1"),
    ],
    ids=[
        "no origins",
        "none enabled",
        "twice",
        "no weight",
        "misspelt",
        "a path",
        "no path",
        "two lines",
        "no status",
        "too often",
    ],
)
def test_a_mistake_is_told_with_what_would_be_right(text: str, error: str) -> None:
    assert error in _read(text)[1]


@pytest.mark.parametrize(
    ("statuses", "status", "expected"),
    [("2xx", 204, True), ("2xx", 301, False), ("200,204", 204, True), ("200, 3XX", 302, True), ("200", 201, False)],
)
def test_statuses_are_numbers_or_classes(statuses: str, status: int, expected: bool) -> None:
    assert is_expected(statuses, status) is expected
