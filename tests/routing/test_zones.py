import re
from collections.abc import Mapping

import pytest

from edgeworker.balancing.settings import LoadBalancer, OriginServer
from edgeworker.config import Zone
from edgeworker.errors import ConfigError
from edgeworker.routing import Zones, origin_of

OUTER = Zone("example.com", "z1")
INNER = Zone("shop.example.com", "z2")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("example.com", "example.com"),
        ("www.example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("shop.example.com", "shop.example.com"),
        ("a.shop.example.com", "shop.example.com"),
        ("myshop.example.com", "example.com"),
        ("myexample.com", None),
        ("com", None),
        ("[::1]", None),
    ],
)
def test_a_host_belongs_to_the_longest_zone_name_at_a_label_boundary(host: str, name: str | None) -> None:
    zone = Zones([OUTER, INNER]).of(host)

    assert (zone and zone.name) == name


def test_zones_are_found_by_any_spelling_of_their_name() -> None:
    zones = Zones([Zone("Bücher.example", "z")])

    assert zones.named("BÜCHER.example") == zones.of("www.xn--bcher-kva.example")
    assert [zone.name for zone in zones] == ["xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("api.example.com", "http://api"),
        ("other.example.com", "http://wild"),
        ("a.b.example.com", "http://wild"),
        ("x.deep.example.com", "http://deeper"),
        ("deep.example.com", "http://wild"),
        ("example.com", "http://zone"),
    ],
)
def test_the_nearest_origin_of_a_zone_wins(host: str, origin: str) -> None:
    origins = {
        "API.example.com": "http://api",
        "*.example.com": "http://wild",
        "*.deep.example.com": "http://deeper",
    }
    [zone] = Zones([Zone("example.com", "z", origin="http://zone", origins=origins)])

    assert origin_of(zone, host, "http://default") == origin


@pytest.mark.parametrize(("default", "origin"), [("http://default", "http://default"), (None, None)])
def test_a_zone_without_an_origin_and_no_zone_at_all_have_the_default_one(
    default: str | None, origin: str | None
) -> None:
    assert origin_of(OUTER, "example.com", default) == origin
    assert origin_of(None, "elsewhere.example", default) == origin


@pytest.mark.parametrize(
    ("name", "origins", "says"),
    [
        ("*.example.com", {}, 'edge.toml: zones[0]: zone "*.example.com": "*.example.com" is not a host name'),
        ("example.com", {"other.com": "http://o"}, 'has an origin for "other.com", which is not in it'),
        ("example.com", {"*": "http://o"}, '"*" is not a host name'),
        ("example.com", {"a.*.example.com": "http://o"}, '"a.*.example.com" is not a host name'),
    ],
)
def test_a_zone_that_cannot_be_meant_is_refused(name: str, origins: Mapping[str, str], says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Zones([Zone(name, "z", origins=origins, source="edge.toml: zones[0]")])

    assert says in str(refused.value)


def test_two_zones_of_one_name_are_refused_with_both_places() -> None:
    twins = [
        Zone("example.com", "a", source="edge.toml: zones[0]"),
        Zone("EXAMPLE.com", "b", source="edge.toml: zones[1]"),
    ]

    with pytest.raises(
        ConfigError, match=r'"example.com" exists twice \(edge.toml: zones\[0\] and edge.toml: zones\[1\]'
    ):
        Zones(twins)


def _balancer(host: str = "") -> LoadBalancer:
    return LoadBalancer((OriginServer("http://a"),), host)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("example.com", "example.com"),
        ("x.example.com", "example.com"),
        ("api.example.com", "example.com:api.example.com"),
        ("a.shop.example.com", "example.com:*.shop.example.com"),
        ("exact.shop.example.com", "http://exact"),
        ("a.old.example.com", "http://old"),
    ],
)
def test_a_load_balancer_stands_where_an_origin_could(host: str, origin: str) -> None:
    zone = Zone(
        "Example.com",
        origins={"exact.shop.example.com": "http://exact", "*.old.example.com": "http://old"},
        load_balancers=(_balancer(), _balancer("API.example.com"), _balancer("*.shop.example.com")),
    )

    found = origin_of(Zones([zone]).of(host), host, "http://default")

    assert (found.name if isinstance(found, LoadBalancer) else found) == origin


def test_hosts_that_no_load_balancer_is_for_have_the_other_origins() -> None:
    zone = Zones([Zone("example.com", load_balancers=(_balancer("api.example.com"),))]).of("example.com")

    assert origin_of(zone, "example.com", "http://default") == "http://default"


@pytest.mark.parametrize(
    ("zone", "says"),
    [
        (
            Zone("example.com", origin="http://x", load_balancers=(_balancer(),)),
            "has two origins for every host: write one origin or one load balancer for it",
        ),
        (Zone("example.com", load_balancers=(_balancer(), _balancer())), "two origins for every host"),
        (
            Zone(
                "example.com",
                origins={"api.example.com": "http://x"},
                load_balancers=(_balancer("Api.example.com"),),
            ),
            'two origins for "api.example.com"',
        ),
        (Zone("example.com", load_balancers=(_balancer("example.org"),)), 'for "example.org", which is not in it'),
    ],
    ids=["beside an origin", "twice", "one host twice", "not in the zone"],
)
def test_a_load_balancer_that_cannot_be_meant_is_refused(zone: Zone, says: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):
        Zones([zone])
